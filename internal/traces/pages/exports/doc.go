// Package exports is « Les pages des remises »: the list of archives for justice and
// for patients, the request for one, and its sheet, where a second person decides
// and where the archive is taken.
//
// It promises that all of it is done without any script, and that no address names
// a patient.
//
// It never decides who may: the operations do.
package exports
