// Package alerting is « Alerte et mobilisation »: scenarios, their launch, the
// waves and quotas that follow by the clock, the answers, and the facts of the
// report.
//
// It promises that an alert is written whole or not at all, that two people who
// launch the same thing at once make one alert, that what is due next is a
// function of facts and clock, that every answer is kept and answered once, and
// that a version of a scenario used by an alert never changes.
//
// It never calls a person on leave, never counts an opened link as an answer,
// never lets a text with an unfilled blank leave, and never judges a person by
// his answers.
package alerting
