package pages

import "encoding/base64"

// The place where a list continues holds a name: it goes to the address in
// letters that any address may hold.

// beforeOf writes it for an address.
func beforeOf(next string) string { return base64.RawURLEncoding.EncodeToString([]byte(next)) }

// afterOf reads it back; what somebody wrote by hand begins the list again.
func afterOf(text string) string {
	out, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(out)
}
