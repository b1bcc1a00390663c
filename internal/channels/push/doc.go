// Package push is « Notifications »: messages to the telephones and browsers of
// agents by Web Push (RFC 8030, RFC 8291, RFC 8292).
//
// It promises that a push service reads nothing of a message; that a device which
// was taken back, or that its service no longer knows, receives nothing more;
// and that only the push services of browsers, and those an administrator
// named, are ever spoken to: an address given by a browser leads nowhere else.
//
// It never counts what a push service accepted as read, and never holds a
// subscription: it asks for it when a message leaves.
package push
