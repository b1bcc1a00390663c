package phone_test

import (
	"testing"

	"tocsin/internal/directory/phone"
)

func TestFormatAndMask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ e164, format, mask string }{
		{"+33612345678", "06 12 34 56 78", "06 •• •• •• 78"},
		{"+33199001234", "01 99 00 12 34", "01 •• •• •• 34"},
		{"+262692123456", "0692 12 34 56", "06•• •• •• 56"},
		{"+590590821234", "0590 82 12 34", "05•• •• •• 34"},
		{"+41791234567", "+41 79 123 45 67", "+41 •• ••• •• 67"},
		{"+352621123456", "+352 621 123 456", "+352 ••• ••• •56"},
		{"4512", "4512", "••12"},
		{"15", "15", "••"},
		{"", "", ""},
		{"+999", "+999", "+•99"},
	} {
		if got := phone.Format(c.e164); got != c.format {
			t.Errorf("Format(%q) = %q, want %q", c.e164, got, c.format)
		}
		if got := phone.Mask(c.e164); got != c.mask {
			t.Errorf("Mask(%q) = %q, want %q", c.e164, got, c.mask)
		}
	}
}

func TestFormatReadsBack(t *testing.T) {
	t.Parallel()
	for _, e164 := range []string{"+33612345678", "+262692123456", "+596696123456", "+41791234567", "+4915123456789", "4512"} {
		r := phone.Parse(phone.Format(e164), phone.Options{})
		if len(r.Numbers) != 1 || r.Numbers[0].E164 != e164 {
			t.Errorf("Format(%s) = %q reads back as %s", e164, phone.Format(e164), compact(r))
		}
	}
}
