package pages

import (
	"tocsin/internal/access"
	"tocsin/internal/identity"
	"tocsin/internal/ui"
)

// The addresses ui must know of.
const (
	LoginPath        = "/connexion"
	SecondFactorPath = "/compte/second-facteur"
	LogoutPath       = "/deconnexion"
	SwitchPath       = "/etablissement"
	AccountPath      = "/compte"
	AccountsPath     = "/administration/comptes"
	TokensPath       = "/administration/jetons"
	EnvelopesPath    = "/administration/enveloppes"
)

// FirstRunPath and InvitationPath begin the one-time links; the code follows.
const (
	FirstRunPath   = "/bienvenue/"
	InvitationPath = "/invitation/"
)

// Options are what the pages rest on.
type Options struct {
	Service *identity.Service
	// Origin is the public address: it begins the links that are handed over.
	Origin string
}

// pages are the handlers of this room.
type pages struct {
	service *identity.Service
	origin  string
	jar     jar
}

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{service: o.Service, origin: o.Origin, jar: jar{o.Service.Secure()}}
	r.Get(FirstRunPath+"{code}", ui.Public, p.firstRun)
	r.Post(FirstRunPath+"{code}", ui.Public, p.start)
	r.Get(InvitationPath+"{code}", ui.Public, p.invitation)
	r.Post(InvitationPath+"{code}", ui.Public, p.accept)

	r.Get(LoginPath, ui.Public, p.login)
	r.Post(LoginPath, ui.Public, p.signIn)
	r.Get("/connexion/second-facteur", ui.Public, p.second)
	r.Post("/connexion/second-facteur", ui.Public, p.prove)
	r.Post("/connexion/enveloppe", ui.Public, p.proveByEnvelope)
	r.Post("/connexion/cle-acces/debut", ui.Public, p.beginKeySignIn)
	r.Post("/connexion/cle-acces/fin", ui.Public, p.finishKeySignIn)
	r.Post(LogoutPath, ui.Public, p.signOut)
	r.Post(SwitchPath, ui.SignedIn, p.switchTo)

	r.Get(AccountPath, ui.SignedIn, p.account)
	r.Post(AccountPath, ui.SignedIn, p.saveAccount)
	r.Post("/compte/prevenir", ui.SignedIn, p.saveReach)
	r.Post("/compte/telephone", ui.SignedIn, p.saveTelephone)
	r.Post("/compte/telephone/retirer", ui.SignedIn, p.removeTelephone)
	r.Get("/compte/mot-de-passe", ui.SignedIn, p.password)
	r.Post("/compte/mot-de-passe", ui.SignedIn, p.changePassword)
	r.Get(SecondFactorPath, ui.SignedIn, p.factors)
	r.Get("/compte/second-facteur/application", ui.SignedIn, p.application)
	r.Post("/compte/second-facteur/application", ui.SignedIn, p.confirmApplication)
	r.Post("/compte/second-facteur/application/retirer", ui.SignedIn, p.removeApplication)
	r.Post("/compte/cle-acces/debut", ui.SignedIn, p.beginKey)
	r.Post("/compte/cle-acces/fin", ui.SignedIn, p.finishKey)
	r.Post("/compte/cle-acces/{id}/retirer", ui.SignedIn, p.removeKey)
	r.Get("/compte/codes-de-secours", ui.SignedIn, p.codes)
	r.Post("/compte/codes-de-secours", ui.SignedIn, p.renewCodes)
	r.Post("/compte/codes-de-secours/notes", ui.SignedIn, p.sawCodes)
	r.Post("/compte/sessions/{id}/fermer", ui.SignedIn, p.revoke)
	r.Post("/compte/sessions/fermer-les-autres", ui.SignedIn, p.revokeOthers)

	r.Get(AccountsPath, access.AccountRead, p.accounts)
	r.Get(AccountsPath+"/nouveau", access.AccountWrite, p.newAccount)
	r.Post(AccountsPath+"/nouveau", access.AccountWrite, p.addAccount)
	r.Get(AccountsPath+"/{id}", access.AccountRead, p.member)
	r.Post(AccountsPath+"/{id}/roles", access.AccountWrite, p.setRoles)
	r.Post(AccountsPath+"/{id}/suspendre", access.AccountWrite, p.suspend)
	r.Post(AccountsPath+"/{id}/retablir", access.AccountWrite, p.restore)
	r.Post(AccountsPath+"/{id}/reinitialiser", access.AccountWrite, p.reset)

	r.Get(TokensPath, access.AccountRead, p.tokens)
	r.Get(TokensPath+"/nouveau", access.AccountWrite, p.newToken)
	r.Post(TokensPath+"/nouveau", access.AccountWrite, p.createToken)
	r.Post(TokensPath+"/{id}/revoquer", access.AccountWrite, p.revokeToken)

	r.Get(EnvelopesPath, access.AccountRead, p.envelopes)
	r.Post(EnvelopesPath, access.AccountWrite, p.makeEnvelope)
	r.Get(EnvelopesPath+"/{id}/imprimer", access.AccountWrite, p.envelopePaper)
	r.Post(EnvelopesPath+"/{id}/imprimee", access.AccountWrite, p.envelopePrinted)
	r.Post(EnvelopesPath+"/{id}/annuler", access.AccountWrite, p.revokeEnvelope)
	r.Post(EnvelopesPath+"/{id}/vue", access.AccountWrite, p.seeEnvelope)
}
