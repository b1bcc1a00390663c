// Package pages is « Mon espace, à l’écran »: the app of an agent, and who
// keeps the directory opening and shutting it.
//
// It promises that following an invitation uses nothing until its button is
// pressed, that every page works without script, and that an answer given
// without a network leaves later with the time at which it was given.
//
// It never shows what is somebody else's, and never a number whole.
package pages
