// Package proof is « Annuaire prouvé »: it writes to people, a few a day and at
// decent hours, so that one knows before the night of the alert who answers.
//
// Two campaigns share one engine: the verification of one's details by a
// personal link, and the discreet test, a short TEST message that asks for one
// key. It promises that a day's quota is kept, that nothing leaves at night, on
// a Sunday, on a holiday or while an alert runs, that opening a link records
// nothing, and that a corrected number serves once its owner answered from it.
//
// It never scores a person, never shows a number whole to who follows a link,
// and never deletes a contact point.
package proof
