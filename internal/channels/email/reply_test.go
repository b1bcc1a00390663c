package email_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/channels/email"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// answered parses a mail sent to an answer address.
func answered(t *testing.T, raw string) email.News {
	t.Helper()
	n, ok := email.Parse([]byte(strings.ReplaceAll(raw, "\n", "\r\n")), "agent@hopital.test", "reponse+"+token+"@"+replyDomain, replyDomain, noon)
	if !ok {
		t.Fatal("our own address is not recognised")
	}
	return n
}

const personal = "From: Léa <agent@hopital.test>\nSubject: Re: Plan blanc\nMessage-ID: <1@x>\nMIME-Version: 1.0\n"

func TestReplyText(t *testing.T) {
	t.Parallel()
	const plain = "Content-Type: text/plain; charset=utf-8\n\n"
	const html = "Content-Type: text/html; charset=utf-8\n\n"
	for name, c := range map[string]struct{ raw, want string }{
		"bare":                 {plain + "OUI j’arrive 30 min\n", "OUI j’arrive 30 min"},
		"gmail in French":      {plain + "1\n\nLe dim. 22 nov. 2026 à 08:12, CH de Valmont <a@b.test> a écrit :\n\n> Plan blanc\n> Répondez\n", "1"},
		"folded attribution":   {plain + "Je viens\n\nLe dim. 22 nov. 2026 à 08:12, CH de Valmont – Alerte\n<alerte@hopital.test> a\nécrit :\n> Plan blanc\n", "Je viens"},
		"no-break spaces":      {plain + "Je viens\n\nLe 22/11/2026 à 08:12, X a écrit\u00a0:\n> Plan blanc\n", "Je viens"},
		"English":              {plain + "Coming\n\nOn Sun, 22 Nov 2026 at 08:12, Alert <a@b.test> wrote:\n> Venez\n", "Coming"},
		"Outlook separator":    {plain + "NON\n\n-----Message d’origine-----\nDe : Alerte\nEnvoyé : dimanche\n", "NON"},
		"Outlook headers":      {plain + "NON\n\n________________________________\nDe : Alerte <a@b.test>\nEnvoyé : dimanche 22 novembre\nÀ : Agent\nObjet : Plan blanc\n", "NON"},
		"signature":            {plain + "oui\n-- \nLéa Martin\nIDE\n", "oui"},
		"telephone":            {plain + "oui\n\nEnvoyé de mon iPhone\n", "oui"},
		"Outlook mobile":       {plain + "oui\nTélécharger Outlook pour Android<https://aka.ms/x>\n", "oui"},
		"below the original":   {plain + "> Plan blanc\n> Répondez\n\nJe viens dans 20 min\n", "Je viens dans 20 min"},
		"a sentence, no quote": {plain + "On verra ce qu’il a écrit\nje viens\n", "On verra ce qu’il a écrit\nje viens"},
		"sent by ambulance":    {plain + "Envoyé par ambulance, j’arrive\n", "Envoyé par ambulance, j’arrive"},
		"De la part de":        {plain + "De : chez moi j’arrive en 20 min\n", "De : chez moi j’arrive en 20 min"},
		"latin-1":              {"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nJ=92arrive =E0 8h\n", "J’arrive à 8h"},
		"windows-1252":         {"Content-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: 8bit\n\nj\x92arrive \xe0 8h\n", "j’arrive à 8h"},
		"utf-8 that is not":    {plain + "d\xe9j\xe0 l\xe0\n", "déjà là"},
		"no charset":           {"\nd\xe9j\xe0 l\xe0\n", "déjà là"},
		"unknown charset":      {"Content-Type: text/plain; charset=klingon\n\noui\n", "oui"},
		"base64":               {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nT1VJIGonYXJyaXZlIMOgIDho\n", "OUI j'arrive à 8h"},
		"HTML of Gmail":        {html + `<div dir="ltr">J&#39;arrive &agrave; 8h<br>Léa</div><br><div class="gmail_quote"><div class="gmail_attr">Le 22 nov. a écrit&nbsp;:</div><blockquote>Plan blanc</blockquote></div>`, "J'arrive à 8h\nLéa"},
		"HTML of Outlook":      {html + `<html><head><style>p{}</style></head><body><p class="MsoNormal">NON</p><div id="divRplyFwdMsg">De : Alerte</div><p>Plan blanc</p></body></html>`, "NON"},
		"HTML, old Outlook":    {html + `<p>oui</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p><b>De :</b> Alerte</p></div>`, "oui"},
		"HTML with signature":  {html + `<p>oui</p><div class="gmail_signature"><div>Léa</div>IDE</div>`, "oui"},
		"HTML below":           {html + `<blockquote><p>Plan <blockquote>x</blockquote> blanc</p></blockquote><p>Je viens</p>`, "Je viens"},
		"script":               {html + `<script>1</script><p>2</p>`, "2"},
		"both, text first":     {"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\ntexte\n--b\nContent-Type: text/html\n\n<p>html</p>\n--b--\n", "texte"},
		"both, empty text":     {"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n\n--b\nContent-Type: text/html\n\n<p>html</p>\n--b--\n", "html"},
		"attachment first":     {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=x.txt\n\njoint\n--b\nContent-Type: text/plain\n\nréponse\n--b--\n", "réponse"},
		"empty":                {plain + "\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := answered(t, personal+c.raw)
			if n.Sort != "reply" || n.Reply == nil {
				t.Fatalf("taken for %+v", n)
			}
			if n.Reply.Text != c.want {
				t.Errorf("text %q, want %q", n.Reply.Text, c.want)
			}
			if n.Reply.Token != token || n.Reply.From != "agent@hopital.test" || n.Reply.PeerID == "" || n.Reply.At != noon {
				t.Errorf("reply %+v", n.Reply)
			}
		})
	}
}

func TestReplyIsRecognisedTwice(t *testing.T) {
	t.Parallel()
	first := answered(t, personal+"\noui\n").Reply.PeerID
	if again := answered(t, personal+"X-Other-Road: 1\n\noui\n").Reply.PeerID; again != first {
		t.Error("the same Message-ID gives two ids")
	}
	other := answered(t, strings.Replace(personal, "<1@x>", "<2@x>", 1)+"\noui\n").Reply.PeerID
	bare := answered(t, "From: a@b.test\n\noui\n").Reply.PeerID
	if other == first || bare == first {
		t.Error("two mails share an id")
	}
}

func TestReplyWithUnreadableHeader(t *testing.T) {
	t.Parallel()
	n := answered(t, "From agent Sun Nov 22\nFrom: agent@hopital.test\n\nj’arrive\n")
	if n.Reply == nil || n.Reply.Text != "j’arrive" || n.Reply.Token != token {
		t.Fatalf("taken for %+v %+v", n.Sort, n.Reply)
	}
}

func TestLongReplyIsBounded(t *testing.T) {
	t.Parallel()
	if got := len([]rune(answered(t, personal+"\n"+strings.Repeat("é", 100_000)).Reply.Text)); got != 2000 {
		t.Errorf("%d characters kept", got)
	}
}

func TestAutomaticRepliesAreNoAnswer(t *testing.T) {
	t.Parallel()
	delivery := "0192f0c1-5b7e-7c3a-8d21-3f5e6a7b8c9d"
	for name, header := range map[string]string{
		"RFC 3834":         "Auto-Submitted: auto-replied; owner-email=\"a@b.test\"\n",
		"Exchange":         "X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n",
		"Outlook, French":  "Subject: =?iso-8859-1?Q?R=E9ponse_automatique_:_Plan_blanc?=\n",
		"Outlook, English": "Subject: Automatic reply: Plan blanc\n",
		"out of office":    "Subject: Out of Office: Plan blanc\n",
		"Zimbra":           "Precedence: auto_reply\nX-Autoreply: yes\n",
		"read receipt":     "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := "\nJe suis absent. 1\n"
			if name == "read receipt" {
				body = "\n--b\n\nLu\n--b\nContent-Type: message/disposition-notification\n\nDisposition: manual-action; displayed\n--b--\n"
			}
			n := answered(t, "From: agent@hopital.test\nIn-Reply-To: <"+delivery+"@"+replyDomain+">\n"+header+body)
			if n.Reply != nil || n.Sort != "auto_reply" {
				t.Fatalf("taken for %s %+v", n.Sort, n.Reply)
			}
			if n.Receipt == nil || !n.Receipt.Delivered || n.Receipt.MessageID.String() != delivery {
				t.Errorf("it proves that the message arrived, got %+v", n.Receipt)
			}
		})
	}
	for _, subject := range []string{"Re: Plan blanc", "Absent ce soir", "je suis absent", "Re: Réponse automatique : Plan blanc"} {
		if n := answered(t, "From: a@hopital.test\nSubject: "+subject+"\nAuto-Submitted: no\n\nnon\n"); n.Reply == nil {
			t.Errorf("%q is a person's answer, taken for %s", subject, n.Sort)
		}
	}
}
