// Package telephone is « Le poste de commande téléphonique »: what a person who
// has only a telephone does with alerts, by keys: launch a scenario that may be,
// be the second person of a request, hear where an alert stands, send its end.
//
// It promises that nobody does anything before a personal number, a code, a call
// back to the number of the account, and the code again; that every act asks anew
// what the person may do in that establishment, as the pages do; that what would
// leave is said, with the number of people, before the key that launches it; and
// that every step is in the journal.
//
// It never launches a scenario whose author did not say that it may be launched so,
// never takes the number one calls from for a proof, and says no number and no name
// of anybody called.
package telephone
