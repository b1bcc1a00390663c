// Package terms is « Les termes des questions »: what every engine means by the
// values of a question, whatever its SQL: hours and days on the wall, codes and
// their words, texts and pairs as a base keeps them.
//
// It promises that two engines that use it agree. It knows no SQL but numbers.
package terms
