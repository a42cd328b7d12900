package s3

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/putpost/putpost/wrappers/store"
)

// address is what the parts of an s3:// URL mean.
type address struct {
	bucket, prefix string
	host           string // of the endpoint, with its port
	secure         bool
	region         string
}

// parse never shows rawURL in an error: someone may have written a secret into it.
func parse(rawURL string) (address, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return address{}, errors.New("the address is not of the form s3://BUCKET/PREFIX?endpoint=URL&region=REGION")
	}
	addr := address{bucket: u.Host, host: "s3.amazonaws.com", secure: true, region: "us-east-1"}
	if err := s3utils.CheckValidBucketNameStrict(addr.bucket); err != nil {
		return address{}, fmt.Errorf("%q is not the name of a bucket", addr.bucket)
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		if err := store.CheckKey(prefix); err != nil {
			return address{}, fmt.Errorf("prefix: %w", err)
		}
		addr.prefix = prefix + "/"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return address{}, errors.New("the address has a query that cannot be read")
	}
	for name, values := range query {
		if len(values) != 1 || values[0] == "" {
			return address{}, fmt.Errorf("%q must be set once or not at all", name)
		}
		switch value := values[0]; name {
		case "endpoint":
			if addr.host, addr.secure, err = endpoint(value); err != nil {
				return address{}, err
			}
		case "region":
			addr.region = value
		default:
			return address{}, fmt.Errorf("%q is not a setting: there are endpoint and region", name)
		}
	}
	return addr, nil
}

func endpoint(value string) (host string, secure bool, err error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", false, errors.New("the endpoint is not of the form https://HOST or http://HOST:PORT")
	}
	return u.Host, u.Scheme == "https", nil
}
