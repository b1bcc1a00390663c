// Package chart is « Les courbes »: curves and bars drawn on the server, the
// same on a page (SVG) and in a report (document/pdf).
//
// It promises drawings that read in black and white (each series has its own
// dashes or shade), numbers written as the caller's language wants, a title and
// a description for those who do not see them, and no style the content
// security policy would refuse: presentation attributes and classes only.
//
// It never replaces the figures: the caller puts a table beside every chart.
package chart
