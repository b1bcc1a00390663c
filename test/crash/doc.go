// Package crash is « Les coups durs »: the program killed without a word, its
// network cut, its disk shut, and what it then still promises.
//
// The program under test is the real one, built for the occasion and run in
// processes of its own; the telephone network is its simulated one, in another.
// Only processes started here are ended here.
package crash
