// Package email is « Courriel »: messages by SMTP, and what comes back from
// them: bounces, and the replies people type.
//
// It promises that a refusal for ever, a delay and a silence are three
// different answers; that each message carries its delivery's id (Message-ID
// and return address), so that a message sent twice is recognisable and a
// bounce always finds its delivery; and that mail taken in is answered 250
// only once the Inbox has made it durable, 451 otherwise.
//
// It never relays: the Listener takes only the addresses of its reply domain.
// It never counts an absence message as an answer, never adds remote content
// or tracking to a message, and never lets a text become a header.
package email
