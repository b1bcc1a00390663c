package voice

import (
	"encoding/binary"
	"errors"
	"math"

	"tocsin/internal/wire/rtp"
)

var errWAV = errors.New("voice: not a WAV file of 16-bit sound")

// readWAV gives the samples of a mono or stereo 16-bit file (stereo is mixed) and
// their rate. The length of the data is not believed: a program that writes to a
// pipe does not know it.
func readWAV(b []byte) (samples []int16, rate int, err error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, errWAV
	}
	tracks := 0
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		switch name {
		case "fmt ":
			if len(b) < 16 || binary.LittleEndian.Uint16(b) != 1 || binary.LittleEndian.Uint16(b[14:]) != 16 {
				return nil, 0, errWAV
			}
			tracks, rate = int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint32(b[4:]))
			if tracks < 1 || tracks > 2 || rate < rtp.Rate || rate > 96000 {
				return nil, 0, errWAV
			}
		case "data":
			if tracks == 0 {
				return nil, 0, errWAV
			}
			return mix(b[:min(size, len(b))], tracks), rate, nil
		}
		b = b[min(size+size&1, len(b)):]
	}
	return nil, 0, errWAV
}

func mix(b []byte, tracks int) []int16 {
	out := make([]int16, len(b)/(2*tracks))
	for i := range out {
		sum := 0
		for t := range tracks {
			sum += int(int16(binary.LittleEndian.Uint16(b[2*(i*tracks+t):])))
		}
		out[i] = int16(sum / tracks)
	}
	return out
}

// lobes is how many crossings of the filter are kept on each side: enough for a
// telephone, whose band ends at 3,400 Hz.
const lobes = 8

// resample brings samples to 8 kHz, without the sounds above 4 kHz that would
// come back as noise (windowed sinc).
func resample(in []int16, rate int) []int16 {
	if rate == rtp.Rate {
		return in
	}
	step := float64(rate) / rtp.Rate
	cut := 0.92 / step // of the input's own half band
	reach := int(math.Ceil(lobes / cut))
	out := make([]int16, int(float64(len(in))/step))
	for n := range out {
		at := float64(n) * step
		first := int(at) - reach + 1
		sum := 0.0
		for k := max(first, 0); k < min(first+2*reach, len(in)); k++ {
			x := at - float64(k)
			w := 0.5 + 0.5*math.Cos(math.Pi*x/float64(reach))
			sum += float64(in[k]) * sinc(x*cut) * cut * w
		}
		out[n] = int16(max(min(sum, math.MaxInt16), math.MinInt16))
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// level brings the loudest sample to a fair share of what the codec holds.
func level(samples []int16) []int16 {
	loudest := 0
	for _, s := range samples {
		loudest = max(loudest, int(s), -int(s))
	}
	if loudest == 0 {
		return samples
	}
	gain := 0.7 * math.MaxInt16 / float64(loudest)
	for i, s := range samples {
		samples[i] = int16(float64(s) * gain)
	}
	return samples
}
