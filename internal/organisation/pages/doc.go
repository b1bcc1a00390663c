// Package pages is « Établissements, à l’écran »: the tree of bodies, sites and
// care services at any date, and the forms that change it.
//
// It promises that what changes says since when, that closing is announced
// with what it takes along before it is done, and that every page works
// without script.
//
// It never decides who may do what: the operations check it again.
package pages
