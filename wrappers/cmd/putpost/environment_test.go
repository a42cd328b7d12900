package main

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestCredentialsComeFromAFile(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "a", "a"), "a")
	env := filepath.Join(t.TempDir(), "env")
	write := func(text string) {
		t.Helper()
		must(t, os.WriteFile(env, []byte(text), 0o600))
	}
	write("\ufeff# for cron\r\n\r\nexport " + ncpAccessKey + "=\"" + s.env[ncpAccessKey] + "\"\r\n" + ncpSecretKey +
		" = '" + s.env[ncpSecretKey] + "'\n" + ncpBaseURL + "=" + s.env[ncpBaseURL])
	invoke(nil, nil, "send", "--env-file", env, "--to", "ncloudmailer", path).is(t, 0, 1)
	invoke(map[string]string{ncpAccessKey: "other"}, nil, "--env-file", env, "getFile", "x").is(t, 1, 0, "not found")
	// A token in the environment must not mix with a client in the file.
	write(tfsClientID + "=" + s.env[tfsClientID] + "\n" + tfsClientSecret + "=" + s.env[tfsClientSecret] + "\n" +
		tfsOrganization + "=1\n")
	args := []string{"send", "--env-file", env, "--to", "twentyfourseven", path}
	invoke(with(s.env, tfsToken, "wrong"), nil, args...).is(t, 0, 1)
	write(tfsClientID + "=" + s.env[tfsClientID] + "\n")
	invoke(s.env, nil, args...).refused(t, exitUsage, tfsClientSecret)
}

func TestAnEnvFileThatCannotBeTrustedIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"others read it": {ncpSecretKey + "=s3cret\n", 0o644, "others may read"},
		"its group does": {ncpSecretKey + "=s3cret\n", 0o640, "others may read"},
		"another name":   {"NCLOUD_SECRET=s3cret\n", 0o600, "line 1: putpost reads no variable NCLOUD_SECRET"},
		"PATH":           {"# x\nPATH=/s3cret\n", 0o600, "line 2: putpost reads no variable PATH"},
		"no name":        {"s3cret\n", 0o600, "line 1 is not like NAME=value"},
		"a secret first": {"s3cret=\n", 0o600, "line 1: putpost reads no variable of this name"},
		"twice": {ncpSecretKey + "=s3cret\n" + ncpSecretKey + "=s3cret\n", 0o600, "line 2 sets " + ncpSecretKey +
			" a second time"},
		"nothing": {"\n# " + ncpSecretKey + "=s3cret\n", 0o600, "sets nothing"},
		"a blank in it": {ncpAccessKey + "=s3 cret\n" + ncpSecretKey + "=s3cret\n", 0o600, ncpAccessKey +
			" has a blank"},
		"without the key": {ncpSecretKey + "=s3cret\n", 0o600, ncpAccessKey + " is not set"},
		"endless":         {strings.Repeat("#", largestEnvFile+1), 0o600, "is larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tc.mode != 0o600 {
				t.Skip("there are no such modes")
			}
			path := filepath.Join(t.TempDir(), "env")
			err := os.WriteFile(path, []byte(tc.text), tc.mode)
			if err = cmp.Or(err, os.Chmod(path, tc.mode)); err != nil { // whatever the umask is
				t.Fatal(err)
			}
			invoke(nil, nil, "--env-file", path, "send", "--to", "ncloudmailer", "x").refused(t, exitUsage, tc.want)
		})
	}
	invoke(nil, nil, "--env-file", "missing", "send", "--to", "ncloudmailer", "x").refused(t, exitUsage, "missing")
}
