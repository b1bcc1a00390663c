// Package gsm is « Alphabet GSM »: what fits in one SMS, and how a text becomes
// the octets of one or several.
//
// It promises the alphabets of 3GPP TS 23.038 (7-bit default with its extension
// table, and UCS-2 as UTF-16BE), the segmentation of 3GPP TS 23.040 §9.2.3.24
// (160 septets or 70 UCS-2 units alone; 153/67 per part with an 8-bit
// reference, 152/66 with a 16-bit one), that an extension pair or a surrogate
// pair is never cut, and that the count shown to an author is exactly what
// Split produces.
//
// It never changes a text by itself: Plain only proposes a spelling.
package gsm
