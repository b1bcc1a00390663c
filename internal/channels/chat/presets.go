package chat

// preset is what is known of a product: every setting left empty takes it. All
// are written from the public documents of the products.
type preset struct{ name, body, answers string }

func presets() []preset {
	return []preset{
		{
			// Incoming webhooks: « ok » in letters; an error is an object whose id names it.
			name: "mattermost", body: `{"username":"Tocsin","text":"{texte}"}`,
			answers: "ok 200 ~ ^ok\nauth 400 id ~ incoming_webhook\\.(invalid|disabled)\nauth 401-404\nrejected 400\nrejected 413",
		},
		{
			// Incoming integrations: {"success":true}.
			name: "rocketchat", body: `{"alias":"Tocsin","text":"{texte}"}`,
			answers: "ok 200 success ~ ^true$\nauth 401-404\nrejected 400\nrejected 413",
		},
		{
			// The webhook of a Workflows flow « post to a channel when a webhook request is
			// received »: an adaptive card, which the flow takes by 202 before it posts.
			name: "teams",
			body: `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard","version":"1.4","body":[` +
				`{"type":"TextBlock","size":"Medium","weight":"Bolder","wrap":true,"text":"{titre}"},{"type":"TextBlock","wrap":true,"text":"{texte_carte}"}]}}]}`,
			answers: "ok 200-202\nauth 401-404\nrejected 400\nrejected 413",
		},
		{name: "custom", body: `{"text":"{texte}"}`, answers: "ok 200-299"},
	}
}

func presetNames() []string {
	var out []string
	for _, p := range presets() {
		out = append(out, p.name)
	}
	return out
}

func presetOf(name string) preset {
	all := presets()
	for _, p := range all {
		if p.name == name {
			return p
		}
	}
	return all[0]
}
