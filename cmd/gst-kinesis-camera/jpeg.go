package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"

	"gst-kinesis/cgo/gstrtsp"
)

// RFC 2435 sends a JPEG without its tables of Huffman codes: the receiver puts in those of ITU-T T.81, annex K. It knows
// baseline pictures of three components with chroma at half width and full or half height.

// Markers of ITU-T T.81.
const (
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerSOF0 = 0xc0
	markerDHT  = 0xc4
)

var errJPEG = errors.New("not a JPEG")

// fitJPEG checks that all pictures of a track can be sent as they are.
func fitJPEG(track *gstrtsp.Track) error {
	standard, err := standardHuffman()
	if err != nil {
		return err
	}
	if len(track.Units) > 0 && !timed(track.Units) {
		return &notServable{"its pictures have no times"}
	}
	for i := range track.Units {
		track.Units[i].Key = true
		var fit error
		if err := track.Units[i].Buffer.Read(func(p []byte) { fit = jpegFits(p, standard) }); err != nil {
			return err
		}
		if fit != nil {
			return &notServable{fmt.Sprintf("RTP does not carry its pictures: %v", fit)}
		}
	}
	return nil
}

// standardHuffman gives the tables of annex K, by class and number as DHT has them. Go's encoder uses no others.
func standardHuffman() (map[byte]string, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420), nil); err != nil {
		return nil, err
	}
	tables := map[byte]string{}
	err := jpegSegments(b.Bytes(), func(marker byte, body []byte) error {
		if marker == markerDHT {
			return huffmanTables(body, func(id byte, table string) error { tables[id] = table; return nil })
		}
		return nil
	})
	return tables, err
}

// jpegFits tells why a picture cannot be sent by RFC 2435.
func jpegFits(p []byte, standard map[byte]string) error {
	framed := false
	err := jpegSegments(p, func(marker byte, body []byte) error {
		switch {
		case marker == markerDHT:
			return huffmanTables(body, func(id byte, table string) error {
				if standard[id] != table {
					return errors.New("it has Huffman tables of its own")
				}
				return nil
			})
		case marker == markerSOF0:
			framed = true
			return frameFits(body)
		case marker >= 0xc1 && marker <= 0xcf && marker != 0xc8 && marker != 0xcc:
			return errors.New("not baseline")
		}
		return nil
	})
	if err == nil && !framed {
		err = errJPEG
	}
	return err
}

// frameFits looks at a frame header: precision, height, width, then id, sampling factors, table for each component.
func frameFits(body []byte) error {
	if len(body) < 15 || body[0] != 8 || body[5] != 3 {
		return errors.New("not three components of 8 bits")
	}
	h, w := int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if err := checkJPEGSize(w, h); err != nil {
		return err
	}
	if y := body[7]; y != 0x21 && y != 0x22 || body[10] != 0x11 || body[13] != 0x11 {
		return errors.New("chroma not sampled 4:2:0 or 4:2:2")
	}
	return nil
}

// jpegSegments calls f for each marker segment up to the first scan.
func jpegSegments(p []byte, f func(marker byte, body []byte) error) error {
	if len(p) < 4 || p[0] != 0xff || p[1] != markerSOI {
		return errJPEG
	}
	for p = p[2:]; len(p) >= 4; {
		if p[0] != 0xff {
			return errJPEG
		}
		marker := p[1]
		if marker == 0xff { // a fill byte
			p = p[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16(p[2:])) + 2
		if marker == markerEOI || n < 4 || n > len(p) {
			return errJPEG
		}
		if err := f(marker, p[4:n]); err != nil {
			return err
		}
		if marker == markerSOS {
			return nil
		}
		p = p[n:]
	}
	return errJPEG
}

// huffmanTables calls f for each table of a DHT segment: class and number, then the counts and the values.
func huffmanTables(body []byte, f func(id byte, table string) error) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return errJPEG
		}
		n := 17
		for _, count := range body[1:17] {
			n += int(count)
		}
		if n > len(body) {
			return errJPEG
		}
		if err := f(body[0], string(body[1:n])); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}
