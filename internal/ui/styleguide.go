package ui

import (
	"net/http"
	"time"
)

// guideWords is what the style guide writes: French only, it is a page for
// whoever builds pages, shown in demonstration and development.
type guideWords struct {
	form    *Form
	now     time.Time
	choices []Choice
	cards   []Choice
	hold    HoldSpec
	query   Query
}

// styleGuide shows every part of the house on one page. A POST shows what a
// refused form looks like.
func styleGuide(c *Context) error {
	f := c.Form()
	g := guideWords{
		form: f, now: c.Now, query: c.Query(),
		choices: []Choice{
			{Value: "nord", Label: "Site Nord", Group: "Établissement principal"},
			{Value: "sud", Label: "Site Sud", Group: "Établissement principal"},
			{Value: "ehpad", Label: "EHPAD Les Tilleuls", Group: "Médico-social"},
		},
		cards: []Choice{
			{Value: "reel", Label: "RÉEL", Icon: "alert", Hint: "Les personnes sont réellement rappelées."},
			{Value: "exercice", Label: "EXERCICE", Icon: "flag", Hint: "Chaque message commence par EXERCICE."},
			{Value: "test", Label: "TEST", Icon: "check", Hint: "Vérifie les numéros, n’attend pas de réponse."},
		},
		hold: HoldSpec{Act: "déclencher l’alerte", Word: "DÉCLENCHER", Name: "mot", Icon: "alert"},
	}
	if c.Request.Method == http.MethodPost {
		f.Require("nom", "mobile", "mode")
		f.Int("places", 1, 500)
		f.Confirmed(g.hold)
		if !f.Valid() {
			return c.Refill(f, nil, styleGuidePage(c, g))
		}
		c.Flash(Success, "Le formulaire d’exemple est complet.")
		return c.Redirect("/styleguide")
	}
	if f.Value("sms") == "" {
		f.Set("sms", "EXERCICE CH Trois-Vallées : plan blanc, présentez-vous à l’accueil du site Nord. Répondez 1 si vous venez, 2 sinon.")
	}
	return c.Render(styleGuidePage(c, g))
}

// styleGuideFrame shows the other frames.
func styleGuideFrame(c *Context) error {
	switch c.PathValue("cadre") {
	case "porte":
		return c.Render(guideDoor(c, c.Form()))
	case "mur":
		return c.Render(guideWall(c))
	case "reponse":
		return c.Render(guideAnswer(c))
	}
	return errNoSuchPage
}
