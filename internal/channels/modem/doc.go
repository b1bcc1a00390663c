// Package modem is « Canal SMS par modem »: text messages through a GSM modem on
// site, for the day when the internet is down. The modem belongs to gammu-smsd; what
// the two have in common are four folders.
//
// It promises that a file appears whole in the outbox or not at all; that a message
// counts as taken once the daemon has moved it to the sent folder, never before; that
// the same message given again after a crash is found again by its id and leaves once;
// that what did not leave in time is taken out of the outbox; and that a text received
// is removed only once it is kept.
//
// It never opens the modem itself, never writes outside its folders, and writes no
// number and no text to the log.
package modem
