// Package pdf is « L'impression accessible »: a small writer of tagged PDF, for
// the reports and sheets of the house.
//
// It promises documents that a screen reader follows (PDF/UA-1: structure tree,
// language, title, table headers with their scope, alternate texts), fonts
// embedded with their Unicode values so that copied text is right, tables that
// continue from page to page under a repeated header, and the same bytes for
// the same content: the date is given.
//
// It never reads a PDF, never embeds a script, a form or a file, and never asks
// the network for anything.
package pdf
