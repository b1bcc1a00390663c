// Package i18n is « Les langues »: every sentence a person reads, in French
// and in English.
//
// It promises that a sentence missing in one language stops the build (see
// Load and the test in archtest), and that numbers, dates and durations are
// written the French way in French.
//
// It also sets the no-break spaces of French typography before : ; ! ? » %
// and after «, so that the catalogues are typed with ordinary spaces. A key
// with a part named "sms" is left with plain spaces: one no-break space would
// more than halve the length of a text message.
//
// It never falls back silently: an unknown key is shown as the key, in ⟦ ⟧,
// and the test that walks the pages fails on that sign.
package i18n
