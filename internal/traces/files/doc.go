// Package files is « Les fichiers de traces » : the exports that an application
// gives, by a page, by its token or in a folder, read by the mapping saved for it.
//
// It promises that a file is read to its end whatever happens to the program,
// each row acknowledged by the queue of the intake before the place in the file
// moves; that the same file twice, or an export that repeats the last, adds
// nothing; that a row which cannot be understood is kept with its reason; and
// that a page can reach no file of the server but those of a folder allowed by
// the settings of the program.
//
// It never changes a file of an application: it may move it, when told to.
package files

import "embed"

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS
