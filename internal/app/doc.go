// Package app is « L'assemblage »: the only place where the rooms meet.
//
// It promises that everything is built in one order and taken down in the
// other, that a stop is graceful, and that each command says what is wrong in
// one sentence.
//
// It never decides anything a room should decide.
package app

// Version is written by the build.
var Version = "dev"
