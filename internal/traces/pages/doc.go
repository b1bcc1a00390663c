// Package pages is « Les pages des traces »: the questions as sentences with
// blanks, their answers on screen and on paper, the free search, one event with
// its original, the sources, and how long what they say is kept.
//
// It promises that nothing which names a person ever stands in an address, that
// an answer says what it does not know (sources that were silent, lines that
// were cut), and that every word a source wrote is shown as text.
//
// It never decides who may, nor looks at the traces without the operation that
// writes the look down.
package pages
