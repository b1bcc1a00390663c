package wav_test

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"tocsin/internal/wire/wav"
)

// file is a WAV file of a tone, at a rate and of as many tracks.
func file(rate, tracks int, tone float64) []byte {
	samples := make([]int16, rate*tracks)
	for i := range samples {
		samples[i] = int16(8000 * math.Sin(2*math.Pi*tone*float64(i/tracks)/float64(rate)))
	}
	b := wav.Write(samples)
	binary.LittleEndian.PutUint16(b[22:], uint16(tracks))
	binary.LittleEndian.PutUint32(b[24:], uint32(rate))
	return b
}

// loud is the strength of a tone (Goertzel).
func loud(samples []int16, tone float64) float64 {
	turn := 2 * math.Cos(2*math.Pi*tone/wav.Rate)
	var one, two float64
	for _, v := range samples {
		one, two = float64(v)+turn*one-two, one
	}
	return 2 * math.Sqrt(math.Max(one*one+two*two-turn*one*two, 0)) / float64(len(samples))
}

func TestEveryUsualFileIsHeardAlike(t *testing.T) {
	for _, rate := range []int{8000, 16000, 22050, 44100, 48000} {
		for _, tracks := range []int{1, 2} {
			samples, got, err := wav.Read(file(rate, tracks, 1000))
			if err != nil || got != rate || len(samples) != rate {
				t.Fatalf("%d Hz, %d tracks: %d samples at %d, %v", rate, tracks, len(samples), got, err)
			}
			heard := wav.Resample(samples, rate)
			if len(heard) != wav.Rate || math.Abs(loud(heard, 1000)-8000) > 800 {
				t.Errorf("%d Hz, %d tracks: %d samples, as loud as %.0f", rate, tracks, len(heard), loud(heard, 1000))
			}
		}
	}
	// What a telephone does not carry does not come back as another sound.
	samples, rate, err := wav.Read(file(44100, 1, 6500))
	if heard := wav.Resample(samples, rate); err != nil || loud(heard, 1500) > 200 {
		t.Errorf("a sound too high is heard as %.0f, %v", loud(heard, 1500), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(8000, 1, 440))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xff"))
	f.Add([]byte("RIFF    WAVEdata\x04\x00\x00\x00abcd"))
	f.Fuzz(func(t *testing.T, b []byte) {
		samples, rate, err := wav.Read(b)
		if err == nil && (2*len(samples) > len(b) || rate < wav.Rate) {
			t.Errorf("%d samples at %d out of %d octets", len(samples), rate, len(b))
		}
	})
}

// The silence around a voice is cut, with an edge left to its words; a hum, a click
// and an offset of the line are no voice.
func TestTrimKeepsTheVoice(t *testing.T) {
	t.Parallel()
	voice := func(seconds float64) []int16 {
		out := make([]int16, int(seconds*wav.Rate))
		for i := range out {
			out[i] = int16(4000 * math.Sin(float64(i)/5))
		}
		return out
	}
	still := func(seconds float64, level int16) []int16 {
		return slices.Repeat([]int16{level}, int(seconds*wav.Rate))
	}
	for name, one := range map[string]struct {
		in   []int16
		want float64
	}{
		"a voice among silence": {slices.Concat(still(3, 0), voice(2), still(5, 0)), 2.4},
		"a pause is no end":     {slices.Concat(still(1, 0), voice(1), still(2, 0), voice(1)), 4.2},
		"an offset is no voice": {slices.Concat(still(3, 900), voice(2), still(5, 900)), 2.4},
		"a whole voice":         {voice(2), 2},
		"a click":               {slices.Concat(still(2, 0), voice(0.1), still(2, 0)), 0},
		"silence":               {still(5, 0), 0},
		"nothing":               {nil, 0},
		"less than a slice":     {voice(0.01), 0},
	} {
		if got := float64(len(wav.Trim(one.in))) / wav.Rate; math.Abs(got-one.want) > 0.05 {
			t.Errorf("%s: %.2f s, want %.2f", name, got, one.want)
		}
	}
}
