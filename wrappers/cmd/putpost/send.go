package main

import "github.com/putpost/putpost/wrappers/upload"

type sendCmd struct {
	To          string   `required:"" enum:"${providers}" placeholder:"PROVIDER" help:"Where to: ${enum}."`
	JSON        bool     `name:"json" help:"Print a JSON object a line instead of ID<TAB>NAME."`
	Concurrency int      `short:"c" default:"4" placeholder:"N" help:"Uploads at once (${default})."`
	Name        string   `placeholder:"NAME" help:"What the provider is to call the one FILE."`
	Wait        bool     `help:"Wait for the documentId of each file and print it as the third column (twentyfourseven)."`
	Recursive   bool     `short:"r" help:"Send the files in folders, too, with hidden ones and links to files."`
	FilesFrom   string   `placeholder:"LIST" help:"Send the files that LIST names, one name a line; - is standard input."`
	Journal     string   `placeholder:"FILE" help:"Note each sent file in FILE, and send only what it does not have."`
	Files       []string `arg:"" optional:"" name:"FILE" help:"Files; - is standard input, which goes by the temporary folder unless it is a file."`
}

func (*sendCmd) Help() string {
	return `A line a file is printed as it completes: "ID<TAB>NAME", or with --json an object
with provider, path, id, name, size, traceId, tempRequestId, expires and
documentId as far as there are such. NAME is what the provider calls the file;
the path of --json tells files of one name apart. What fails is told of on
standard error; the other files go on. Ctrl-C finishes what is in flight; a
second one stops now.

Credentials come from the environment:
  twentyfourseven  TWENTYFOURSEVEN_TOKEN, or TWENTYFOURSEVEN_CLIENT_ID,
                   TWENTYFOURSEVEN_CLIENT_SECRET and TWENTYFOURSEVEN_ORGANIZATION
  ncloudmailer     NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY
TWENTYFOURSEVEN_BASE_URL, TWENTYFOURSEVEN_TOKEN_URL and NCLOUD_MAILER_BASE_URL
replace the documented addresses.

With --journal, a run that was killed is taken up by the same command: nothing
is sent twice, except at most what was in flight when the process died. What has
another time or size since is sent again, and what NAVER has deleted since (see
expires). A file named twice is sent once (without --journal: twice). The journal
has the ids that a kill kept from being printed, too:

  jq -rs 'INDEX(.path)[] | [.id, .name] | @tsv' FILE

A journal is for one account, and with serve for one store.`
}

// check finds what the flags alone make impossible.
func (c *sendCmd) check(to provider) error {
	stdins := c.stdins()
	switch {
	case len(c.Files) == 0 && c.FilesFrom == "":
		return usagef("there is nothing to send: name a FILE, - for standard input, or --files-from LIST")
	case c.Concurrency < 1:
		return usagef("--concurrency is %d and must be at least 1", c.Concurrency)
	case c.Name != "" && (len(c.Files) != 1 || c.FilesFrom != "" || c.Recursive):
		return usagef("--name is for exactly one FILE")
	case c.Name != "" && upload.BaseName(c.Name) == "":
		return usagef("--name %q ends with a separator", c.Name)
	case stdins > 0 && c.FilesFrom == stdinPath:
		return usagef("standard input cannot be both a file and the list of --files-from")
	case stdins > 0 && c.Journal != "":
		return usagef("--journal cannot recognise standard input; give a file")
	case stdins > 1:
		return usagef("standard input can be sent only once")
	case c.Wait && to.wait == nil:
		return usagef("--wait: %s has nothing to wait for", c.To)
	}
	return nil
}

// stdins is how often standard input is named as a file.
func (c *sendCmd) stdins() (n int64) {
	for _, path := range c.Files {
		if path == stdinPath {
			n++
		}
	}
	return n
}

func (c *sendCmd) Run(p *program) error {
	to := providers[c.To]
	if err := c.check(to); err != nil {
		return err
	}
	client, err := to.client(p.env, upload.Config{})
	if err != nil {
		return err
	}
	s := &sender{
		sendCmd: c, to: to, client: client, stdin: p.stdin,
		console: &console{out: p.stdout, err: p.stderr},
		quit:    make(chan struct{}),
		taken:   map[pathKey]bool{},
	}
	if c.Journal != "" {
		s.journal, err = openJournal(c.Journal, c.To, to.destination(p.env), to.account(p.env))
		if err != nil {
			return usageError{err}
		}
		defer s.journal.close()
		if s.journal.repaired {
			s.note("journal %s: the last line was torn by a crash and has been removed", c.Journal)
		}
	}
	return s.run()
}
