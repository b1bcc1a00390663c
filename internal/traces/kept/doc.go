// Package kept is « Questions gardées »: a question that is asked again and again
// is written once, opened with one key, made by itself at its hour for those who
// are entitled, and set beside others on a dashboard.
//
// It promises that a kept question is asked by nobody who could not ask it; that an
// answer which was due is made once, however often the program dies, and that one
// which was missed is told; that no message carries more than a link; and that each
// opening of a document is itself a trace.
//
// It never keeps an answer for longer than was said, nor in clear.
package kept
