// Package wav is « Le fichier son »: files of 16-bit sound, brought to what a
// telephone says.
//
// It promises that no file can make it fail, nor cost more than its own length. It
// never reads a compressed sound.
package wav

import (
	"encoding/binary"
	"errors"
	"math"
)

// Rate is the samples a second of a telephone.
const Rate = 8000

// fastest is the highest rate that is read.
const fastest = 96000

// ErrFormat is a file that is none of 16-bit sound, mono or stereo.
var ErrFormat = errors.New("wav: not a WAV file of 16-bit sound")

// Read gives the samples of a mono or stereo 16-bit file (stereo is mixed) and
// their rate. The length of the data is not believed: a program that writes to a
// pipe does not know it.
func Read(b []byte) (samples []int16, rate int, err error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, ErrFormat
	}
	tracks := 0
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		switch name {
		case "fmt ":
			if len(b) < 16 || binary.LittleEndian.Uint16(b) != 1 || binary.LittleEndian.Uint16(b[14:]) != 16 {
				return nil, 0, ErrFormat
			}
			tracks, rate = int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint32(b[4:]))
			if tracks < 1 || tracks > 2 || rate < Rate || rate > fastest {
				return nil, 0, ErrFormat
			}
		case "data":
			if tracks == 0 {
				return nil, 0, ErrFormat
			}
			return mix(b[:min(size, len(b))], tracks), rate, nil
		}
		b = b[min(size+size&1, len(b)):]
	}
	return nil, 0, ErrFormat
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

// Resample brings samples to 8 kHz, without the sounds above 4 kHz that would
// come back as noise (windowed sinc).
func Resample(in []int16, rate int) []int16 {
	if rate == Rate {
		return in
	}
	step := float64(rate) / Rate
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

// Level brings the loudest sample to a fair share of what the codec holds.
func Level(samples []int16) []int16 {
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

// The shape of a voice among silence, in slices of 20 ms: how loud it is at least
// (−45 dB of the loudest that can be), how much of it makes a voice, and how much of
// what stands beside it is kept so that no word loses its edge.
const (
	slice    = Rate / 50
	quietest = 180
	voiced   = 15
	edge     = 10
)

// Trim cuts the silence at both ends of samples at the rate of a telephone; none is
// left when nobody speaks in them for 300 ms.
func Trim(samples []int16) []int16 {
	first, last, loud := -1, 0, 0
	for n := 0; (n+1)*slice <= len(samples); n++ {
		if loudness(samples[n*slice:(n+1)*slice]) < quietest {
			continue
		}
		if loud++; first < 0 {
			first = n
		}
		last = n
	}
	if loud < voiced {
		return nil
	}
	return samples[max(first-edge, 0)*slice : min((last+1+edge)*slice, len(samples))]
}

// loudness is the effective value of samples, around their own mean.
func loudness(samples []int16) float64 {
	sum, squares := 0.0, 0.0
	for _, s := range samples {
		sum += float64(s)
		squares += float64(s) * float64(s)
	}
	n := float64(len(samples))
	return math.Sqrt(max(squares/n-sum*sum/(n*n), 0))
}

// Write makes a mono file of samples at the rate of a telephone.
func Write(samples []int16) []byte {
	data := uint32(2 * len(samples))
	b := make([]byte, 0, 44+int(data))
	b = binary.LittleEndian.AppendUint32(append(b, "RIFF"...), 36+data)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, Rate)
	b = binary.LittleEndian.AppendUint32(b, 2*Rate)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, data)
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}
