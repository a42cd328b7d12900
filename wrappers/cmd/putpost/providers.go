package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	ncloudmailerstandin "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	twentyfoursevenstandin "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

const (
	tfsToken        = "TWENTYFOURSEVEN_TOKEN"
	tfsClientID     = "TWENTYFOURSEVEN_CLIENT_ID"
	tfsClientSecret = "TWENTYFOURSEVEN_CLIENT_SECRET"
	tfsOrganization = "TWENTYFOURSEVEN_ORGANIZATION"
	tfsBaseURL      = "TWENTYFOURSEVEN_BASE_URL"
	tfsTokenURL     = "TWENTYFOURSEVEN_TOKEN_URL"

	ncpAccessKey = "NCLOUD_ACCESS_KEY"
	ncpSecretKey = "NCLOUD_SECRET_KEY"
	ncpBaseURL   = "NCLOUD_MAILER_BASE_URL"
)

var providers = map[string]provider{
	"twentyfourseven": {
		how:     "presigned PUT",
		base:    twentyfourseven.BaseURL,
		baseVar: tfsBaseURL,
		connect: connectTwentyfourseven,

		credentials: []string{tfsToken, tfsClientID, tfsClientSecret, tfsOrganization},
		account: func(env environment) string {
			if env(tfsToken) != "" {
				return ""
			}
			return env(tfsOrganization)
		},
		wait: func(ctx context.Context, u upload.Uploader, fileID string) (int64, error) {
			st, err := u.(*twentyfourseven.Client).Wait(ctx, fileID)
			return st.DocumentID, err
		},
		failed: twentyfourseven.ErrFailed,
		verbs: []verb{{
			name:  "getFileUploadStatus",
			help:  "24SevenOffice: print \"FILEID<TAB>STATUS<TAB>DOCUMENTID\" of each FILEID.",
			takes: "A fileId, as send prints it.",
			call: func(ctx context.Context, u upload.Uploader, id string) ([]record, error) {
				st, err := u.(*twentyfourseven.Client).Status(ctx, id)
				return []record{{ID: st.FileID, Status: st.Status, DocumentID: st.DocumentID, TraceID: st.TraceID, document: true}}, err
			},
		}},
		standin: func(env environment, cfg standinConfig) (standin, error) {
			return twentyfoursevenstandin.New(twentyfoursevenstandin.Config{
				Store: cfg.store, MaxSize: cfg.maxSize, Logger: cfg.logger,
				Token: env(tfsToken), ClientID: env(tfsClientID), ClientSecret: env(tfsClientSecret),
			})
		},
		paths: []string{"/v1/", "/upload/", "/oauth/"},
		reach: func(base string) []variable {
			// A client asks for a token of one organization, and the stand-in knows them all.
			return []variable{{tfsBaseURL, base + "/v1"}, {tfsTokenURL, base + "/oauth/token"}, {tfsOrganization, "1"}}
		},
		fallback: []variable{{tfsToken, "test-token"}, {tfsClientID, "test-client-id"}, {tfsClientSecret, "test-client-secret"}},
		check: func(env environment) error {
			pair := env.missing(tfsClientID, tfsClientSecret)
			if len(pair) == 0 || len(pair) == 2 && env(tfsToken) != "" {
				return nil
			}
			if len(pair) == 2 {
				return fmt.Errorf("twentyfourseven: set the environment variable %s, or %s and %s", tfsToken, tfsClientID, tfsClientSecret)
			}
			return env.need("twentyfourseven", tfsClientID, tfsClientSecret)
		},
	},
	"ncloudmailer": {
		how:     "multipart POST",
		base:    ncloudmailer.BaseURLKR,
		baseVar: ncpBaseURL,

		credentials: []string{ncpAccessKey, ncpSecretKey},
		connect: func(env environment, cfg upload.Config) (upload.Uploader, error) {
			if err := env.need("ncloudmailer", ncpAccessKey, ncpSecretKey); err != nil {
				return nil, err
			}
			return ncloudmailer.New(ncloudmailer.Credentials{AccessKey: env(ncpAccessKey), SecretKey: env(ncpSecretKey)}, cfg)
		},
		account: func(env environment) string { return accountOf(env(ncpAccessKey)) },
		verbs: []verb{{
			name:     "getFile",
			help:     "NAVER: print \"FILEID<TAB>NAME\" of each file of each tempRequestId.",
			takes:    "A tempRequestId, as send --json prints it.",
			mistaken: "takes the tempRequestId that send --json prints",
			call: func(ctx context.Context, u upload.Uploader, id string) ([]record, error) {
				batch, err := u.(*ncloudmailer.Client).GetFile(ctx, id)
				return recordsOf(batch.Files), err
			},
		}, {
			name:     "deleteFile",
			help:     "NAVER: delete the files of each tempRequestId, and print them as getFile does.",
			takes:    "A tempRequestId, as send --json prints it.",
			mistaken: "takes the tempRequestId that send --json prints",
			call: func(ctx context.Context, u upload.Uploader, id string) ([]record, error) {
				batch, err := u.(*ncloudmailer.Client).DeleteFile(ctx, id)
				return recordsOf(batch.Files), err
			},
		}},
		standin: func(env environment, cfg standinConfig) (standin, error) {
			return ncloudmailerstandin.New(ncloudmailerstandin.Config{
				Store: cfg.store, MaxSize: cfg.maxSize, Logger: cfg.logger,
				AccessKey: env(ncpAccessKey), SecretKey: env(ncpSecretKey),
			})
		},
		paths:    []string{"/api/"},
		reach:    func(base string) []variable { return []variable{{ncpBaseURL, base + "/api/v1"}} },
		fallback: []variable{{ncpAccessKey, "test-access-key"}, {ncpSecretKey, "test-secret-key"}},
		check:    func(env environment) error { return env.need("ncloudmailer", ncpAccessKey, ncpSecretKey) },
	},
}

func connectTwentyfourseven(env environment, cfg upload.Config) (upload.Uploader, error) {
	if token := env(tfsToken); token != "" {
		return twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}), cfg)
	}
	if len(env.missing(tfsClientID, tfsClientSecret, tfsOrganization)) == 3 {
		return nil, fmt.Errorf("twentyfourseven: set the environment variable %s, or %s, %s and %s", tfsToken, tfsClientID, tfsClientSecret, tfsOrganization)
	}
	if err := env.need("twentyfourseven", tfsClientID, tfsClientSecret, tfsOrganization); err != nil {
		return nil, fmt.Errorf("%w (%s would do instead)", err, tfsToken)
	}
	if err := checkAddress(env(tfsTokenURL)); err != nil {
		return nil, fmt.Errorf("twentyfourseven: %s %w", tfsTokenURL, err)
	}
	tokens := twentyfourseven.ClientCredentials{
		ClientID: env(tfsClientID), ClientSecret: env(tfsClientSecret),
		Organization: env(tfsOrganization), TokenURL: env(tfsTokenURL),
	}
	return twentyfourseven.New(tokens.TokenSource(context.Background()), cfg)
}

// checkAddress is for an address that its client looks at only when it is
// used. It does not repeat what may be a secret.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if address == "" || err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil {
		return nil
	}
	return errors.New("is no address like https://host/oauth/token")
}
