// Package espa is « Canal appel malade et DECT »: calls by ESPA 4.4.4 to the server
// of the DECT handsets, of the pagers or of the nurse call, over TCP (a serial line
// goes through a converter).
//
// It promises to be the station the server wants: the one that controls the line and
// selects, or the one that waits to be polled; to repeat a block that arrived
// damaged, and to say uncertain a call of which no word came back once its block was
// written.
//
// It never holds more than one line, sends nothing but calls, and writes no number
// and no text to the log.
package espa
