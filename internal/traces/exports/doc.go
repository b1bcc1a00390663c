// Package exports is « Remise à la justice ou au patient »: traces leave the house
// as one sealed archive, which one person asks for and another approves.
//
// It promises that nobody approves his own request; that each step is in the
// journal, and each look at the traces bears the number of the request; that an
// archive is offered whole or not at all, whatever stops the machine; that what a
// patient receives names no member of staff unless an exception, with its reason,
// was approved with the request; that the archive lies encrypted, for some days,
// and then is gone; and that whoever receives it verifies it without this program.
//
// It never sends an archive anywhere, and never exports everything: a selection is
// about somebody and is bounded.
package exports
