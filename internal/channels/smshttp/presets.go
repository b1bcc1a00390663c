package smshttp

import "tocsin/internal/wire/web"

// preset is what is known of a provider: every setting left empty takes it.
// « kannel » is tested against Kannel itself; the others are written from the
// providers' public documents and are to be verified with a real account.
type preset struct {
	name                        string
	url, check, method, format  string
	headers, body, answers      string
	id, inbound, inboundDefault string
}

const (
	presetCustom = "custom"

	usualAnswers = "ok 200-299"
)

func presets() []preset {
	return []preset{
		{
			name: presetCustom, method: "POST", format: web.JSON, answers: usualAnswers, inboundDefault: authNone,
			body: `{"to":"{numero}","from":"{expediteur}","text":"{texte}","reference":"{id}"}`,
		},
		kannel(), ovh(), orange(), smsmode(), twilio(),
	}
}

// kannel calls the sendsms of a smsbox. It gives no id: ours travels in dlr-url.
func kannel() preset {
	return preset{
		name: "kannel", method: "GET", format: web.Form, inboundDefault: authNone,
		body: "username={utilisateur}\npassword={mot_de_passe}\nfrom={expediteur}\nto={numero}\ntext={texte}\ncharset=UTF-8\ncoding={codage}\n" +
			"validity={validite_minutes}\ndlr-mask=19\ndlr-url={retour}?own={id}&status=%d&peer=%F&answer=%A",
		answers: "ok 202 ~ ^[03]:\ninvalid * ~ (?i)malformed|unroutable|invalid\nrejected * ~ (?i)not enough|too long|missing\n" +
			"auth 403\nthrottled * ~ (?i)temporal|queue full|too many",
		inbound: "own = own\nstatus = status\ndelivered = ^1$\nfailed = ^(2|16)$\nfrom = from\nto = to\ntext = text\nreply_id = peer",
	}
}

// ovh is the http2sms of OVHcloud. To be verified.
func ovh() preset {
	return preset{
		name: "ovh", url: "https://www.ovh.com/cgi-bin/sms/http2sms.cgi", method: "POST", format: web.Form, inboundDefault: authNone,
		body: "account={compte}\nlogin={utilisateur}\npassword={mot_de_passe}\nfrom={expediteur}\nto={numero_00}\nmessage={texte}\n" +
			"contentType=text/json\nnoStop=1\nsmsCoding=2\ntag={id}",
		answers: "ok 200 status ~ ^1\\d\\d$\ninvalid 200 message ~ (?i)receiver|destinataire\nauth 200 status ~ ^(401|402|403)$\nlater 200",
		id:      "smsIds.0",
		inbound: "id = id\nstatus = ptt\ndelivered = ^1$\nfailed = ^(2|3|4|5)$\nfrom = senderId\nto = receiver\ntext = message\nreply_id = messageId",
	}
}

// orange is Contact Everyone of Orange Business. To be verified.
func orange() preset {
	return preset{
		name: "orange", url: "https://contact-everyone.orange-business.com/api/v1.2/groups/{compte}/diffusion-requests", method: "POST", format: web.JSON, inboundDefault: authNone,
		headers: "Authorization: Bearer {mot_de_passe}",
		body:    `{"name":"{id}","msisdns":["{numero}"],"smsParam":{"encoding":"UNICODE","body":"{texte}","senderName":"{expediteur}"}}`,
		answers: usualAnswers, id: "id",
		inbound: "id = diffusionRequestId\nstatus = status\ndelivered = (?i)^(delivered|success)$\nfailed = (?i)^(failed|error|undelivered|rejected)$\nfrom = from\nto = to\ntext = text\nreply_id = id",
	}
}

// smsmode is its REST interface. To be verified.
func smsmode() preset {
	return preset{
		name: "smsmode", url: "https://rest.smsmode.com/sms/v1/messages", method: "POST", format: web.JSON, inboundDefault: authNone,
		headers: "X-Api-Key: {mot_de_passe}",
		body: `{"recipient":{"to":"{numero_chiffres}"},"body":{"text":"{texte}"},"from":"{expediteur}","refClient":"{id}",` +
			`"callbackUrlStatus":"{retour}","callbackUrlMo":"{retour}"}`,
		answers: "ok 200-299\ninvalid 400-422 ~ (?i)recipient", id: "messageId",
		inbound: "id = messageId\nstatus = status.value\ndelivered = (?i)^delivered$\nfailed = (?i)^(undeliverable|undelivered|failed|rejected|expired)$\n" +
			"from = from\nto = recipient.to\ntext = body.text\nreply_id = messageId",
	}
}

// twilio is its Messages resource. To be verified with a real account; its
// signature is tested against the example of its documentation.
func twilio() preset {
	return preset{
		name: "twilio", url: "https://api.twilio.com/2010-04-01/Accounts/{compte}/Messages.json", check: "https://api.twilio.com/2010-04-01/Accounts/{compte}.json",
		method: "POST", format: web.Form, inboundDefault: authTwilio,
		headers: "Authorization: Basic {identification}",
		body:    "To={numero}\nFrom={expediteur}\nBody={texte}\nStatusCallback={retour}\nValidityPeriod={validite_secondes}",
		answers: "ok 200-299\ninvalid 400 code ~ ^(21211|21217|21407|21614)$\nblocked 400 code ~ ^21610$\nrejected 400 code ~ ^(21602|21617)$",
		id:      "sid",
		inbound: "id = MessageSid\nstatus = MessageStatus\ndelivered = ^delivered$\nfailed = ^(undelivered|failed)$\ninvalid_code = ErrorCode\ninvalid = ^(30003|30005|30006)$\nblocked = ^(21610|30004)$\n" +
			"from = From\nto = To\ntext = Body\nreply_id = MessageSid",
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
