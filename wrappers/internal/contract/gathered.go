package contract

import (
	"bytes"
	"slices"
)

// mostGathered is the size from which a form is not gathered any more.
const mostGathered = 4 << 10

// gathered is a form without the contents of its files. It needs little memory
// and little time, and it can still be read. Mostly nobody looks at a form.
type gathered struct {
	delimiter []byte // stands before each part: a line end, two dashes and the boundary
	text      []byte
	gaps      []gap
	buffer    *[8 << 10]byte // holds the text while the form comes
	seen      int            // the text before it does not change any more
	header    int            // where the last header begins
	inPart    bool
	inFile    bool
}

// gap is the place in the text where the content of a file is left out.
type gap struct {
	at   int
	size int64
}

// add adds the next bytes of the form, and reports whether it has. It does not
// if the form does not begin with its boundary, or if too much of it is no file.
func (g *gathered) add(p []byte) bool {
	if g.buffer == nil {
		rest, found := bytes.CutPrefix(p, g.delimiter[len("\r\n"):])
		if !found || !bytes.HasPrefix(rest, []byte("\r\n")) {
			return false
		}
		g.buffer = buffers.Get().(*[8 << 10]byte)
		g.text, g.header = g.buffer[:0], len(p)-len(rest)
	}
	if len(g.text) > mostGathered {
		return false
	}
	for piece := range slices.Chunk(p, len(g.buffer)-mostGathered) {
		g.text = append(g.text, piece...)
		g.leaveOut()
	}
	return true
}

// pack keeps the text, but not the buffer.
func (g *gathered) pack() {
	if g.buffer != nil {
		g.text = bytes.Clone(g.text)
		buffers.Put(g.buffer)
		g.buffer = nil
	}
}

// isFile reports whether the text between a delimiter and a blank line is surely
// the header of a file.
func isFile(header []byte) bool {
	return bytes.HasPrefix(header, []byte("\r\n")) && bytes.Contains(header, []byte("filename=")) &&
		bytes.Count(header, []byte("\n")) == bytes.Count(header, []byte("\r\n"))
}

// leaveOut removes the contents of files from the end of the text.
func (g *gathered) leaveOut() {
	for {
		end := []byte("\r\n\r\n")
		if g.inPart {
			end = g.delimiter
		}
		n := bytes.Index(g.text[g.seen:], end)
		found := n >= 0
		if !found {
			n = max(0, len(g.text)-g.seen-len(end)+1)
		}
		g.seen += n
		if g.inFile {
			if last := &g.gaps[len(g.gaps)-1]; g.seen > last.at {
				last.size += int64(g.seen - last.at)
				g.text = append(g.text[:last.at], g.text[g.seen:]...)
				g.seen = last.at
			}
		}
		switch {
		case !found:
			return
		case g.inPart:
			g.seen += len(end)
			g.header, g.inPart, g.inFile = g.seen, false, false
		default:
			g.seen += len("\r\n") // the second line end is the delimiter's if the part is empty
			g.inPart, g.inFile = true, isFile(g.text[g.header:g.seen])
			if g.inFile {
				g.gaps = append(g.gaps, gap{at: g.seen + len("\r\n")})
			}
		}
	}
}
