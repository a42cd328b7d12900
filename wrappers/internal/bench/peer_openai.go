package main

import (
	"context"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// openaiFile is a generated client whose vendor ships it as it is.
func openaiFile(t task) (func(context.Context) error, error) {
	client := openai.NewClient(option.WithBaseURL(t.Base+"/openai/"), option.WithAPIKey(token), option.WithHTTPClient(stockClient(t)))
	return func(ctx context.Context) error {
		f, err := os.Open(t.File)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = client.Files.New(ctx, openai.FileNewParams{File: f, Purpose: openai.FilePurposeUserData})
		return err
	}, nil
}
