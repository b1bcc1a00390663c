package smshttp

import (
	"crypto/hmac"
	"crypto/sha1" // the scheme of Twilio
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/channels"
)

// How a call of the provider is checked, besides the secret in its address.
const (
	authNone   = "address" // nothing better: the address is the secret
	authBasic  = "basic"
	authHMAC   = "hmac"
	authTwilio = "twilio"
)

// window is how old, or how early, a signed call may be.
const window = 5 * time.Minute

// basicUser is the name a provider gives with the password.
const basicUser = "tocsin"

func (c *config) authentic(call channels.Call, now time.Time) bool {
	in := &c.inbound
	switch in.auth {
	case authNone:
		return true
	case authBasic:
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(basicUser+":"+in.secret))
		return same(call.Get("Authorization"), want)
	case authHMAC:
		return signed(in.secret, call, now)
	case authTwilio:
		return same(call.Get("X-Twilio-Signature"), twilioSignature(in.secret, c.callback, call))
	}
	return false
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// signed checks the scheme of Standard Webhooks: webhook-id, webhook-timestamp
// in seconds, and in webhook-signature one or several "v1," + base64 of
// HMAC-SHA256(key, id.timestamp.body), separated by spaces.
func signed(secret string, call channels.Call, now time.Time) bool {
	id, stamp := call.Get("Webhook-Id"), call.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > window {
		return false
	}
	key := []byte(secret)
	if rest, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err = base64.StdEncoding.DecodeString(rest); err != nil {
			return false
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(call.Body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	found := false
	for given := range strings.FieldsSeq(call.Get("Webhook-Signature")) {
		found = same(given, want) || found
	}
	return found
}

// twilioSignature is base64 of HMAC-SHA1(token, address + every posted name and value in order).
func twilioSignature(token, address string, call channels.Call) string {
	text := address
	if call.Query != "" {
		text += "?" + call.Query
	}
	form, err := url.ParseQuery(string(call.Body))
	if err != nil || call.Method != "POST" {
		form = nil
	}
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			text += name + v
		}
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
