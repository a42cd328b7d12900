package wire

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// secrets returns all that no message about an exchange may show. These are the
// headers that authenticate, by the API or by their names, the URL's user info,
// and the values in its query that are not public. The proxy's user info and
// the API's own Hide are others. It is called for failures only.
func (d *Doer) secrets(reqs ...*http.Request) *secretSet {
	known := &secretSet{runs: map[string]bool{}}
	if d.api.Hide != nil {
		for _, s := range d.api.Hide() {
			known.add(s)
		}
	}
	for _, req := range reqs {
		if req == nil {
			continue
		}
		for _, name := range d.api.Secret {
			for _, v := range req.Header.Values(name) {
				addHeader(known, name, v)
			}
		}
		for name, values := range req.Header {
			if authenticates(name) {
				for _, v := range values {
					addHeader(known, name, v)
				}
			}
		}
		addURL(known, req.URL)
		if proxy := d.proxy(req); proxy != nil {
			addUserInfo(known, proxy.User)
			for _, v := range d.base.ProxyConnectHeader.Values("Proxy-Authorization") {
				addHeader(known, "Proxy-Authorization", v)
			}
		}
	}
	return known
}

// proxy returns the address of the proxy for req, or nil if there is none or
// the transport does not say.
func (d *Doer) proxy(req *http.Request) *url.URL {
	if d.base == nil || d.base.Proxy == nil {
		return nil
	}
	proxy, err := d.base.Proxy(req)
	if err != nil {
		return nil
	}
	return proxy
}

// addHeader adds the value of a header that authenticates, and its credentials
// without their scheme. A time is no secret, although it is signed.
func addHeader(set *secretSet, name, value string) {
	scheme, credentials, found := strings.Cut(value, " ")
	switch {
	case strings.Contains(name, "Timestamp"):
		return
	case !found:
		set.add(value)
		return
	}
	set.add(credentials)
	if strings.EqualFold(scheme, "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(credentials); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			set.add(string(plain))
			set.add(password)
		}
	}
}

func addURL(set *secretSet, u *url.URL) {
	if u == nil {
		return
	}
	if len(u.RawQuery) >= longestRun {
		set.whole = append(set.whole, u.RawQuery)
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, v, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(v)
		if err != nil {
			plain = v
		}
		name = strings.ToLower(name)
		if slices.Contains(publicParameters, name) || date().MatchString(plain) {
			continue
		}
		if strings.HasSuffix(name, "-credential") { // the key's id, and behind it a date and a region
			plain, _, _ = strings.Cut(plain, "/")
		}
		set.add(plain)
	}
	addUserInfo(set, u.User)
}

func addUserInfo(set *secretSet, user *url.Userinfo) {
	if user == nil {
		return
	}
	password, _ := user.Password()
	set.add(user.Username())
	set.add(password)
	set.add(user.Username() + ":" + password)
	set.add(base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password)))
}

// date matches a time as stores write it. A refusal should show such a time.
var date = pattern(`^\d{4}-\d\d-\d\d([T ][\d:.]*(Z|[+-][\d:]+)?)?$|^\d{8}(T\d{6}Z)?$`)

// publicParameters are the parameters of presigned URLs whose values give
// nobody access: times, and what the signature covers.
var publicParameters = strings.Fields(`
	x-amz-algorithm x-amz-date x-amz-expires x-amz-signedheaders x-amz-content-sha256 x-id
	x-goog-algorithm x-goog-date x-goog-expires x-goog-signedheaders expires
	x-amz-acl x-amz-sdk-checksum-algorithm x-amz-storage-class
	se st sv sr sp spr ss srt ske skt sks skv skoid sktid saoid suoid scid sip
	partnumber versionid response-content-type response-content-disposition content-type contenttype`)
