// Package upload holds the types that all putpost clients share: the file to
// send ([Source]), the outcome ([Result], [Error]), the settings ([Config]),
// and many uploads at once ([Many]).
//
//	src, err := upload.File("invoice.pdf")
//	if err != nil {
//		return err
//	}
//	res, err := client.Upload(ctx, src)
//
// It knows no provider. The clients are twentyfourseven.Client and
// ncloudmailer.Client, in the folders beside this one.
//
// # What putpost promises
//
// These promises hold for every client here. The test that checks a sentence
// stands behind it in brackets.
//
// What arrives. The bytes stored under the returned id are the caller's, byte
// for byte [TestContract]. A body has its exact length and is never chunked
// [TestEachAttemptSendsTheSameBodyWithItsOwnCredentials, FuzzForm]. If a file
// grows, shrinks, fails or is overwritten while it is sent, the upload fails,
// and the server never gets a body that looks whole [TestSizeIsPinned,
// TestSources, TestFileOverwrittenInPlaceIsAnErrorInPlaceOfItsEnd]. A success that came
// before the whole body was sent is an error
// [TestSuccessBeforeTheWholeBodyIsNone].
//
// What is repeated. Network errors, 408, 429 and 5xx are repeated, as often as
// [Retry] says. Each attempt sends the same body from its first byte, with its
// own credentials [TestEachAttemptSendsTheSameBodyWithItsOwnCredentials,
// TestWhatIsRepeated]. An exceeded quota and a missing default project are not
// repeated [TestEachCodeHasItsKindAndIsRepeatedOnlyWhereThatMayHelp]. Nor is a
// failure that cannot pass, such as a certificate that is not trusted
// [TestWhatCannotPassIsNotRepeated]. After a 401 there is one more attempt if
// there is another token [TestAfterARefusalTheTokenIsAskedForOnceMore]. An
// expired presigned URL costs one new start [TestContract]. With [Retry]
// Attempts 1 nothing is sent twice [TestExpiredWhereNothingIsRepeated,
// TestWhatIsRepeated]. A source that can be read once is sent once
// [TestSourceThatIsReadOnceKeepsTheFirstFailure].
//
// What may be there twice. A repeated request may leave an orphan at the
// provider: a file whose id the caller does not have. Each client's package
// comment says what becomes of it. Nothing is lost, and no file whose id the
// caller has is doubled [TestConnection].
//
// What is stored when an upload fails. Nothing, or the whole file; never a part
// [TestConnection, TestSources].
//
// What is never shown. No error, log line or printed value holds a token, a
// key, a signature, user info or the query of a URL. This holds even if the
// server repeats them [TestEchoes, TestNoSecretOfTheRequestSurvives], cuts them
// or writes them in another way
// [TestSecretIsKnownHoweverItWasCutWrappedOrRespelt]. The presigned URL's host
// gets no credential of the API [TestPresignedSendsTheFileAndNothingElse], even
// if the caller's HTTPClient adds one
// [TestCredentialsThatARoundTripperAddsNeverReachThePresignedHost]. No redirect
// sends the file from https to http [TestPresignedIsNotLedFromHTTPSToHTTP].
//
// What is the caller's. A panic of a source, or of a function of the caller's,
// comes out of the call, where the caller can recover it
// [TestPanicOfASourceComesOutOfTheCall].
//
// What ends. A call ends with its context. This holds in the middle of a Read,
// if closing the reader ends the Read [TestCancelEndsAReadThatHangs], and
// between attempts [TestWaitEndsWithTheContext]. Every reader that was opened
// is closed once, and no goroutine outlives a call [TestSources]. The only
// other time limit is [Config] AnswerTimeout: 60 s without the beginning of an
// answer [TestAnswerIsWaitedForAsLongAsConfigured]. A source that stands still,
// or a server that reads nothing, holds a call until its context ends, so give
// it a context that does [TestConnection].
package upload
