package main

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/store/s3"
)

const (
	awsKeyID   = "AWS_ACCESS_KEY_ID"
	awsSecret  = "AWS_SECRET_ACCESS_KEY"
	awsSession = "AWS_SESSION_TOKEN"
)

// openStore is the one place that knows which stores there are. Where is the
// name to show.
func openStore(env environment, name string) (st store.Store, where string, err error) {
	switch {
	case name == "":
		return nil, "", usagef("--store is empty; it is memory, a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=R")
	case name == "memory":
		return store.Memory(0), "memory", nil
	case strings.HasPrefix(name, "s3:"):
		st, err = openBucket(env, name)
		where, _, _ = strings.Cut(name, "?")
		return st, where, err
	case strings.Contains(name, "://"):
		return nil, "", usagef("--store is an address, but not like s3://BUCKET/PREFIX?endpoint=URL&region=R")
	default:
		st, err = store.Disk(name)
		return st, name, err
	}
}

// lifecycle is the rule by which the bucket called name forgets NAVER's files:
// they end after 24 hours, of which a bucket's day is the nearest it can say. What
// 24SevenOffice keeps has no documented end.
func lifecycle(name string) (string, error) {
	u, err := url.Parse(name)
	if err != nil || u.Scheme != "s3" {
		return "", usagef("--print-lifecycle goes with --store s3://BUCKET/PREFIX")
	}
	rule, err := s3.Lifecycle(u.Path+"/ncloudmailer", 1)
	if err != nil {
		return "", usageError{err}
	}
	return rule, nil
}

// openBucket sees that the bucket answers: later that would look like the
// failure of an upload.
func openBucket(env environment, address string) (store.Store, error) {
	if err := env.need("--store s3", awsKeyID, awsSecret); err != nil {
		return nil, usageError{err}
	}
	if err := env.clean(awsKeyID, awsSecret, awsSession); err != nil {
		return nil, usageError{err}
	}
	st, err := s3.Open(address, s3.Credentials{AccessKeyID: env(awsKeyID), SecretAccessKey: env(awsSecret), SessionToken: env(awsSession)})
	if err != nil {
		return nil, usageError{err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := st.Check(ctx); err != nil {
		return nil, err
	}
	return st, nil
}
