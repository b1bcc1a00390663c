// Package audits is « Demandes d'audit »: a head of department, or a patient through
// a member of the staff, asks who looked at what; the DPO and the DIM advise, the
// controller's representative decides, and one named person looks.
//
// It promises that nobody decides on what he asked or advised, nor without both
// pieces of advice; that the delegate sees what was decided and nothing beside, until
// the end that was decided; that each of his looks carries the number of the request;
// and that a patient reads no name of staff unless somebody wrote down why.
//
// It never opens the traces to whoever asks.
package audits
