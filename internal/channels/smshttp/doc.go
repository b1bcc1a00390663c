// Package smshttp is « Canal SMS par HTTP »: text messages through a provider
// that is called by HTTP, whatever its interface: the request, the meaning of
// its answers and of its calls back are settings, with presets for usual
// providers.
//
// It promises that a text never breaks out of the place a template gives it;
// that what proves nothing is said "later", and what may have left is said
// uncertain; that no redirection is followed, no answer is read beyond its
// bound, and no address of this machine or of a cloud's metadata is called;
// that a call of the provider is checked (secret address, password or
// signature with its time) and answered once what it brings is durable.
//
// It never sends a message twice by itself, keeps nothing on disk, and writes
// no number, no text and no secret to the log.
package smshttp
