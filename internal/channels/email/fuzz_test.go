package email_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"tocsin/internal/channels/email"
)

// FuzzParse: whatever comes from outside, the parser ends, keeps within its
// limits and never makes both an answer and a receipt of one mail. The corpus
// is in testdata/fuzz/FuzzParse; go test runs it each time.
func FuzzParse(f *testing.F) {
	f.Add([]byte(dsn("failed", "5.1.1", "smtp; 550 5.1.1", "")), true)
	f.Add([]byte(personal+"\nOui\n\nLe 3 mai, X a écrit :\n> a\n"), false)
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n"+strings.Repeat("--b\nContent-Type: multipart/mixed; boundary=b\n\n", 50)), false)
	f.Fuzz(func(t *testing.T, raw []byte, bounce bool) {
		sender, address := "a@b.test", "reponse+"+token+"@"+replyDomain
		if bounce {
			sender, address = "", email.BounceAddress(lost, replyDomain)
		}
		n, ok := email.Parse(raw, sender, address, replyDomain, noon)
		if !ok || n.Sort == "" || (n.Receipt != nil && n.Reply != nil) {
			t.Fatalf("%v %+v", ok, n)
		}
		if r := n.Reply; r != nil {
			if !utf8.ValidString(r.Text) || len([]rune(r.Text)) > 2000 || strings.ContainsAny(r.Text, "\r\x00") ||
				len(r.PeerID) != 32 || len(r.From) > 512 || strings.ContainsAny(r.From, "\r\n") {
				t.Errorf("reply %+v", *r)
			}
		}
		if r := n.Receipt; r != nil {
			if r.MessageID != lost && bounce || !utf8.ValidString(r.Detail) || len([]rune(r.Detail)) > 301 || strings.ContainsAny(r.Detail, "\r\n") {
				t.Errorf("receipt %+v", *r)
			}
			if r.Delivered && !r.Final {
				t.Errorf("delivered but not final: %+v", *r)
			}
		}
	})
}
