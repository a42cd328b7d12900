package uploadtest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// The checks of a file that comes in parts: several requests, and each carries
// a part. The parts together are the file, where each request says that its
// part belongs.

// place says where a part belongs.
type place struct {
	at    int64
	bytes bool // at is an offset; otherwise it is a number, and gives the order alone
	known bool
}

func (p place) String() string {
	if p.bytes {
		return fmt.Sprintf("the part at byte %d", p.at)
	}
	return fmt.Sprintf("part %d", p.at)
}

var (
	contentRange = regexp.MustCompile(`^bytes (\d+)-`)
	offsetName   = regexp.MustCompile(`(?i)offset$`)
	partName     = regexp.MustCompile(
		`(?i)(part|chunk|segment|block)[-_]?(no|nr|num|number|idx|index|(byte)?[-_]?offset)?$|^offset$`)
)

// place returns where in its file the body of a request belongs, if the request
// tells. A header may tell, or a number in its path, its query or its form.
// Such a number is called like one of a part. Or the spec calls it an integer,
// and two requests differ in it alone.
func (t *trial) place(r Request, among []Request) place {
	offset := r.Header.Get("Upload-Offset")
	if said := contentRange.FindStringSubmatch(r.Header.Get("Content-Range")); said != nil {
		offset = said[1]
	}
	if at, err := strconv.ParseInt(offset, 10, 64); err == nil {
		return place{at, true, true}
	}
	values := t.valuesOf(r)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at, err := strconv.ParseInt(values[name], 10, 64)
		if err == nil && (partName.MatchString(name) || t.counts(name, r.Op, values, among)) {
			return place{at, offsetName.MatchString(name), true}
		}
	}
	return place{}
}

// counts reports whether a parameter is an integer by the spec, and another
// request differs from these values in it alone.
func (t *trial) counts(name, op string, values map[string]string, among []Request) bool {
	return t.Server.contract.IsInteger(op, name) && slices.ContainsFunc(among, func(r Request) bool {
		others := t.valuesOf(r)
		differs := r.Op == op && others[name] != values[name]
		others[name] = values[name]
		return differs && maps.Equal(others, values)
	})
}

// valuesOf returns the parameters and fields of a request, by their names.
func (t *trial) valuesOf(r Request) map[string]string {
	values := t.Server.contract.Values(r.Op, r.URI)
	for name := range r.Fields {
		values[name] = r.Fields.Get(name)
	}
	return values
}

// accepted reports whether the server took what a request carried. Some
// services answer 308 to each part but the last.
func (r Request) accepted() bool {
	return r.Status/100 == 2 || r.Status == http.StatusPermanentRedirect && r.AnswerHeader.Get("Location") == ""
}

// joined joins the parts that say where they belong, and compares them with
// src. It returns what is wrong, and whether there are such parts.
func (t *trial) joined(src *source, requests []Request) (wrong string, inParts bool) {
	type part struct {
		File
		accepted bool
	}
	parts := map[place]part{}
	for _, r := range requests {
		p := t.place(r, requests)
		if !p.known || len(r.Files) != 1 {
			continue
		}
		if parts[p].accepted && r.accepted() {
			return fmt.Sprintf("%s is sent again, though the server accepted it before", p), true
		}
		if !parts[p].accepted && (r.accepted() || r.Status == 0) { // of a cut connection the server may keep what came
			parts[p] = part{r.Files[0], r.accepted()}
		}
	}
	end, overlaps := int64(0), false
	for _, p := range slices.SortedFunc(maps.Keys(parts), func(a, b place) int { return cmp.Compare(a.at, b.at) }) {
		it, from := parts[p], end
		if p.bytes && p.at > end {
			break
		} else if p.bytes && p.at < end && !overlaps {
			return fmt.Sprintf("%s begins before the end of another one, at %d", p, end), true
		} else if p.bytes {
			from = p.at
		}
		if !begins(src.content[min(from, src.Size):], it.File) {
			return fmt.Sprintf("%s has %d bytes that are not the file's from byte %d on", p, it.Size, from), true
		}
		end, overlaps = max(end, from+it.Size), !it.accepted
	}
	if len(parts) > 0 && end < src.Size {
		wrong = fmt.Sprintf("no part has the file's bytes from byte %d on", end)
	}
	return wrong, len(parts) > 0
}

// begins reports whether a content begins with a file.
func begins(content []byte, f File) bool {
	return bytes.HasPrefix(content, f.Body) && f.Size <= int64(len(content)) &&
		f.SHA256 == payload.Sum(content[:f.Size])
}

// accepted returns the files in accepted requests.
func accepted(requests []Request) (files []File) {
	for _, r := range requests {
		if r.accepted() {
			files = append(files, r.Files...)
		}
	}
	return files
}

// whole reports whether a file is the source.
func (s *source) whole(f File) bool { return f.SHA256 == s.hash() }

// inParts reports whether the source came in several files, and in none as a
// whole.
func (s *source) inParts(files []File) bool {
	return len(files) > 1 && !slices.ContainsFunc(files, s.whole)
}

// came reports whether files have the source in them: as one of them, or as
// parts in any order.
func (s *source) came(files []File) bool {
	if slices.ContainsFunc(files, s.whole) {
		return true
	}
	content, files := s.content, slices.Clone(files)
	for len(content) > 0 {
		at := slices.IndexFunc(files, func(f File) bool { return begins(content, f) })
		if at < 0 {
			return false
		}
		content, files = content[files[at].Size:], slices.Delete(files, at, at+1)
	}
	return len(s.content) > 0
}

// placesInForm reports whether a form has a field for the place of a part.
func (t *trial) placesInForm(r Request) bool {
	op := t.Server.contract.Operation(r.Op)
	if op == nil {
		return false
	}
	media := op.Media(r.Header.Get("Content-Type"))
	return media != nil && slices.ContainsFunc(media.Fields, partName.MatchString)
}

// attempts groups the requests of an operation by the places of their parts. If
// one is a form that was not read, its place is not known, and there are none.
func (t *trial) attempts(all []Request) (groups [][]Request) {
	index := map[place]int{} // the zero place is that of a request that carries no part
	for _, r := range all {
		p := t.place(r, all)
		if unread := len(r.Files) == 0; unread && !p.known && t.placesInForm(r) {
			return nil
		}
		at, known := index[p]
		if !known {
			at = len(groups)
			index[p], groups = at, append(groups, nil)
		}
		groups[at] = append(groups[at], r)
	}
	return groups
}

// tries returns how often one of several requests was tried: of parts, the one
// that was sent most often counts.
func (t *trial) tries(all []Request) (n int) {
	for _, group := range t.attempts(all) {
		n = max(n, len(group))
	}
	return n
}
