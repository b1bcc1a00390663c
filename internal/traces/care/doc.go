// Package care is « Qui soigne qui »: for which reasons a member of the staff may
// open the record of a patient, and who the member of the staff is.
//
// It promises that a message kept once is kept once, in whatever order messages
// come; that a patient is one person under all the numbers he ever had; that the
// question of the live flow (who is this patient, who is this account) is
// answered by reads of an index; and that what is old is forgotten by itself.
//
// It never judges an access: it tells the reasons there are. It never reads the
// directory nor the roster by itself: both are told to it (Source bridges).
package care
