package probe

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// within matches a part of a sentence. A full stop before a space ends it.
const within = `(?:[^.]|\.\S){0,150}`

// The names of members, fields, parameters and headers tell their kinds.
var (
	// facts about a file
	sizes = regexp.MustCompile(`(?i)^((file|content|object|blob|document|attachment|body|byte)[_-]?)?` +
		`(size|bytes|byte[_-]?(size|count|length)|size[_-]?(in[_-]?)?bytes)$|^content[_-]?length$`)
	anyText = regexp.MustCompile(`(?i)(^|,\s*)(\*/\*|text/(\*|plain))`)                      // text/plain
	lengths = regexp.MustCompile(`(?i)^(x[_-])?((file|content|upload)[_-]?)?(size|length)$`) // only of requests
	names   = regexp.MustCompile(`(?i)^((original|object|blob|document|attachment|upload(ed)?)[_-]?)?` +
		`(file[_-]?)?name$`)
	types     = regexp.MustCompile(`(?i)^(content|media|mime|file)[_-]?type$|^mime$`)
	saysType  = regexp.MustCompile(types.String() + `|(?i)^type$`)   // only of requests, if the value is a media type
	endings   = regexp.MustCompile(`(?i)^(file[_-]?)?ext(ension)?$`) // beside a name, which may lack it
	extension = regexp.MustCompile(`\.[A-Za-z]\w*$`)                 // of a name
	mediaType = regexp.MustCompile(`^(application|audio|font|image|model|text|video)/[\w.+-]+$`)
	fileKinds = regexp.MustCompile(`(?i)^(media|file)[_-]?type$`)
	anyBytes  = regexp.MustCompile(`^(application|binary)/(octet-stream|binary)$`) // a server may know better
	digests   = regexp.MustCompile(`(?i)(md5|sha-?_?(1|256|512)|checksum|digest|hash)([_-]?(sum|value|hex|base64))?$`)
	// comparesSum matches what a description says of a checksum that is compared.
	comparesSum = regexp.MustCompile(`(?i)(checksum|digest|hash|md5|sha).*(match|differ|compare)|` +
		`verif|reject|will check`)
	refusal = regexp.MustCompile(`(?i)\b4\d\d\b|refus|reject`) // what a text says of it

	// respells matches what a spec says of names that the server changes. The word may
	// stand in the sentence before.
	respells = regexp.MustCompile(`(?i)\b(names?\b` + within + `(\.[*_]*\s\S` + within + `)?` +
		`\b(character|letter|space)s?` +
		`|(character|space)s?\b` + within + `\bnames?)\b` + within + `\b(replaced|escaped|removed|stripped|changed)\b` +
		`|\bnames?\b` + within + `\b(normali[sz]ed|saniti[sz]ed|cleaned|escaped)\b` +
		`|\b(normali[sz]es|saniti[sz]es|cleans|escapes)\b` + within + `\bnames?\b`)

	// distinct matches what a server adds to a name that is taken, such as -1 or (1).
	distinct = regexp.MustCompile(`^[ _.-]?(\(\d+\)|\d+|[[:alnum:]-]{4,36})$`)

	// nameHeaders may name the file in a body. Escapes matches what a spec says of one
	// that is written as in a URL.
	nameHeaders = regexp.MustCompile(`(?i)^(content-disposition|slug|` +
		`(x-)?((original|object|upload(ed)?)-)?file-?name)$`)
	escapes = regexp.MustCompile(`(?i)percent|%[0-9a-f]{2}|ur[il][ -]?(en)?cod|RFC ?(3986|5987|8187)`)

	// aName matches the description of a parameter that is a name.
	aName = regexp.MustCompile(`(?i)\bname\b`)

	sure      = regexp.MustCompile(`(?i)md5|sha-?_?(1|256|512)`) // it is a checksum, and of which kind
	checksums = regexp.MustCompile(digests.String() + `|^oid$`)  // only of requests

	// what becomes of it
	stores   = regexp.MustCompile(`(?i)^(created|uploaded|stored)[_-]?(at|on|time|date)?$`)
	states   = regexp.MustCompile(`(?i)^(upload[_-]?)?(state|status)$`)
	finished = regexp.MustCompile(`(?i)^(complete|completed|ready|done|stored|available|uploaded|finished|processed)$`)
	pending  = regexp.MustCompile(`(?i)^(pending|waiting|awaiting.*|initiated|started|uploading|incomplete)$`)
	unready  = regexp.MustCompile(pending.String() + `|(?i)^(processing|in[ _-]?progress|queued|scheduled|running|` +
		`preparing|scanning|converting|transcoding|validating|verifying|importing|indexing)$`)
	deletions = regexp.MustCompile(`(?i)^((is|date|(date[_-]?)?time)[_-]?)?(deleted|trashed|removed|archived|` +
		`in[_-]?trash)([_-]?(at|on|time|date))?$`)
	deletion = regexp.MustCompile(`(?i)(^|[^a-z])(deleted|trashed|removed|archived)([^a-z]|$)`)
	lasting  = regexp.MustCompile(`^id$|[a-z_-](Id|ID|_id|-id)$|(?i:name|size)$`)
	ofOneAsk = regexp.MustCompile(`(?i)^(x.?)?(request|response|trace|span|correlation|transaction|session|` +
		`operation|event|message|status|state).?id$`)

	// facts are what a server finds out by itself. Perils let others hear of an
	// upload, or end one.
	facts = regexp.MustCompile(`(?i)owner|user|author|by$|tenant|account|version|revision|` +
		`extension|encoding|format|charset`)
	perils = regexp.MustCompile(`(?i)ur[il]s?$|link|href|callback|hook|mail|notif|pass|secret|expir|ttl|` +
		`lifetime|retention|overwrite|replace|force|delete|purge|dry[_-]?run|validate[_-]?only`)
	// conditions are headers without which a request is answered in full.
	conditions = regexp.MustCompile(`(?i)^(if-|range$|expect$|authorization$|cookie$|content-|accept)`)

	// references tell one file of a request from another. Nothing else may have
	// the value of one that is unique. Prose changes nothing else.
	references = regexp.MustCompile(`(?i)^((client|custom|local|external|request|correlation)[_-]?)?` +
		`(id|key|ref|reference|oid)$`)
	// refer matches the name of what refers to another thing.
	refer   = regexp.MustCompile(`(?i)(id|ids|file|files|path|token|parent|folder|ref|handle)$`)
	foreign = regexp.MustCompile(`.(Id|ID|[_-](g|u|gu|uu)?id|(G|U|Gu|Uu)id)s?$`) // of a thing of another kind
	// distinctive matches the name of what one thing only may have.
	distinctive = regexp.MustCompile(`(?i)^(sku|ean|number|code|ref(erence)?)$`)
	longNames   = regexp.MustCompile(`(?i)[a-z_-](name|key|tag|slug)$`)
	// related matches the path of an id of JSON:API that is that of its type.
	related = regexp.MustCompile(`(^|\.)(relationships\.[^.]+\.data|included)(\[\])?\.id$`)
	typed   = regexp.MustCompile(`^type$`)
	// repeatable matches what a spec says of a request that may be sent once more, or for
	// what is not there.
	repeatable = regexp.MustCompile(`(?i)\b(may|can) be (repeated|sent again)\b|\brepeatable\b|\bidempotent\b|` +
		`\bno(t an)? error (if|when)\b|\bsucceeds\b` + within + `\b(does not|doesn't|not) exist\b|` +
		`\balready (deleted|removed|gone)\b` + within + `\b20[024]\b|\b20[024]\b` + within + `\balready\b`)
	undoes = regexp.MustCompile(`(?i)delet|remov|trash|purge|archiv|destroy|revok|cancel|abort|discard|withdraw`)
	unique = regexp.MustCompile(names.String() + `|(?i)^(path|key|slug|title)$`)
	prose  = regexp.MustCompile(`(?i)^(title|label|subject|description|comments?|notes?|caption|summary|category)$`)

	// the pages of a list; what paged finds may stand before each name of the others
	limits   = regexp.MustCompile(`(?i)^(max|page)?[_-]?(limit|size|results|items|keys)$|^per[_-]?page$|^(top|first)$`)
	paged    = regexp.MustCompile(`(?i)^(.*[_-])(limit|page[_-]?size|per[_-]?page)$`)
	cursors  = regexp.MustCompile(`(?i)cursor|token|after|marker`)
	befores  = regexp.MustCompile(`(?i)^before([_-]?id)?$`)
	pages    = regexp.MustCompile(`(?i)^page([_-]?(number|no|index))?$`)
	offsets  = regexp.MustCompile(`(?i)^(offset|skip|start([_-]?index)?)$`)
	nextPage = regexp.MustCompile(`(?i)\bnext page\b`) // what a description says of a cursor
	nexts    = regexp.MustCompile(`(?i)^((next|end|continuation)[_-]?)+(cursor|page|` +
		`(page[_-]?)?token|marker|ur[il]|link|href)?$|^cursor$`)
	more   = regexp.MustCompile(`(?i)^has[_-]?(more|next([_-]?page)?)$|^is[_-]?truncated$`)
	totals = regexp.MustCompile(`(?i)^total([_-]?(count|items|files|results|elements))?$`)

	longIDs  = regexp.MustCompile(`(?i)^(g|u|gu|uu)id$`) // as in {attachment_gid}
	uuid     = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	secrets  = regexp.MustCompile(`(?i)(token|key|signature|secret|password|salt|nonce|cursor|iv)$`) // no files
	pointers = regexp.MustCompile(`(?i)^(json[_-]?)?pointer$`)
	codes    = regexp.MustCompile(`(?i)^(error[_-]?)?code$`)
	wraps    = regexp.MustCompile(`(?i)^(data|results?|response|payload|items|value)\.`) // around the whole answer
	onceOnly = regexp.MustCompile(`(?i)^(x-)?idempotency-key$`)                          // a repetition makes nothing
	// refusesLogin matches what a spec says of a 400 that is for credentials, too.
	refusesLogin = regexp.MustCompile(`(?i)\bauthenticat|\b(credentials|signature)\b|\blog-?in\b`)
	ordinary     = regexp.MustCompile(`^(Accept|Accept-Language|User-Agent|Date)$`) // of no credentials
)

// Names in paths and URLs tell theirs.
var (
	starts      = regexp.MustCompile(`(?i)upload|resumable|session`) // the Location is for the bytes
	completion  = regexp.MustCompile(`(?i)[/:._-](complete|finali[sz]e|finish|commit|confirm|done)[^/{}]*$`)
	uploadURL   = regexp.MustCompile(`(?i)(upload|signed|put)_?ur[il]$`)
	downloadURL = regexp.MustCompile(`(?i)download`)

	// signs matches the query of a URL that is of use with this query only. Its
	// parameter lets somebody in, or in time, if its name opens or its value
	// seals: a time, or what is too long to be guessed.
	signs     = regexp.MustCompile(`(?i)(sig|token|hmac)[^=]*=|=[\w%+/-]{32}`)
	signature = regexp.MustCompile(`(?i)(sig|hmac)[^=]*=`)
	opens     = regexp.MustCompile(`(?i)sig|token|hmac|expires|date|credential`)
	seals     = regexp.MustCompile(`^(\d{10,13}|\d{8}T\d{6}Z|[\w%+/=-]{32,})$`)
	packed    = regexp.MustCompile(`e[wy][\w+/-]+`)                           // JSON in base64
	numbers   = regexp.MustCompile(`[:,\[]\s*"?(\d+)(?:\s*[],}]|-\d\d-\d\d)`) // in JSON
	azure     = regexp.MustCompile(`(^|&)sig=`)                               // signs no media type
	expires   = regexp.MustCompile(`(?i)expir`)
)

func numeric(s string) bool { return strings.Trim(s, "0123456789") == "" }

// isCount reports whether an id may also be the number of other things.
func isCount(id string) bool { return numeric(id) && len(id) < 8 }

// counts reports whether a name is that of how many such things there are, such as
// photoCount.
func counts(name, thing string) bool {
	name = strings.ToLower(dashes.Replace(name))
	return strings.Contains(name, "count") && strings.Contains(name, strings.ToLower(dashes.Replace(thing)))
}

// brackets makes page_size of page[size], and top of $top.
var brackets = strings.NewReplacer("$", "", "[", "_", "]", "")

// one returns the name of one of the things that a list, or a word of a path, names.
func one(things string) string { return strings.TrimSuffix(path.Base(things), "s") }

// dashes removes the characters between the words of a name.
var dashes = strings.NewReplacer("-", "", "_", "")

// sameWord reports whether two names differ by case and separators only.
func sameWord(a, b string) bool {
	return strings.EqualFold(dashes.Replace(a), dashes.Replace(b))
}

// sameName reports whether a name is the one that was sent. Forms write a quote
// as %22, and a server may leave it so. If the spec says that names are changed,
// their letters and digits stay, maybe without their marks.
func (r *operation) sameName(is, sent string) bool {
	kept := func(name string) string {
		return strings.Map(func(c rune) rune {
			if unicode.IsLetter(c) || unicode.IsDigit(c) {
				return unicode.ToLower(c)
			}
			return -1
		}, norm.NFD.String(name)) // which is without its marks then
	}
	whole, _ := url.PathUnescape(is)
	return is == sent || is == strings.ReplaceAll(sent, `"`, "%22") ||
		r.respells && (whole == sent || kept(is) == kept(sent))
}

// isNamed reports whether a name is the one that m was sent under. Where that is
// taken, a server may add a number or a token to it, such as in a-1.pdf.
func (p *prober) isNamed(m *made, is, sent string) bool {
	if m.by.sameName(is, sent) {
		return true
	}
	end := strings.LastIndex(sent, ".")
	if end < 0 {
		end = len(sent)
	}
	rest, begins := strings.CutPrefix(is, sent[:end])
	added, ends := strings.CutSuffix(rest, sent[end:])
	isTaken := p.named[sent] != nil && p.named[sent] != m
	return begins && ends && isTaken && distinct.MatchString(added)
}
