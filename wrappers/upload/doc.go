// Package upload is the vocabulary that every putpost client shares: what is
// sent ([Source]), what comes back ([Result], [Error]), how a client is set up
// ([Config]), and many uploads at once ([Many]).
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
// What arrives. What the caller handed over is, byte for byte, what is stored
// under the returned id [TestContract]. A body has its exact length and is
// never chunked [TestEachAttemptSendsTheSameBodyWithItsOwnCredentials,
// TestFormIsWhatMultipartReads]. A file that grows, shrinks, fails or is
// overwritten while it is sent is an error, and the other side never gets a
// body that looks whole [TestSizeIsPinned, TestSources,
// TestFileOverwrittenInPlaceIsAnErrorInPlaceOfItsEnd]. A success that came
// before the whole body was sent is an error
// [TestSuccessBeforeTheWholeBodyIsNone].
//
// What is repeated. Network errors, 408, 429 and 5xx, as often as [Retry] says,
// with the same body from its first byte and credentials of its own each time
// [TestEachAttemptSendsTheSameBodyWithItsOwnCredentials, TestWhatIsRepeated];
// not an exceeded quota, nor a missing default project
// [TestEachCodeHasItsKindAndIsRepeatedOnlyWhereThatMayHelp], nor what cannot
// pass, such as a certificate that is not trusted
// [TestWhatCannotPassIsNotRepeated]. A 401 costs one
// more try, if there is another token
// [TestAfterARefusalTheTokenIsAskedForOnceMore]; an expired presigned URL costs
// one new start [TestExpiredAddressCostsOneNewStart]. With [Retry] Attempts 1
// nothing is sent twice [TestExpiredWhereNothingIsRepeated,
// TestWhatIsRepeated]. A source that can be read once is sent once
// [TestSourceThatIsReadOnceKeepsTheFirstFailure].
//
// What may be there twice. A repeated request may leave an orphan on the other
// side, of which the caller has no id; what becomes of it stands in each
// client's package comment. Nothing is lost, and nothing that the caller knows
// of is doubled [TestConnection].
//
// What is stored when an upload fails. Nothing, or the whole file; never a part
// [TestConnection, TestSources].
//
// What is never shown. No error, log line or printed value holds a token, a
// key, a signature, user info or the query of a URL, also where the other side
// repeats them [TestEchoes, TestNoSecretOfTheRequestSurvives], cuts them or
// writes them in another way
// [TestSecretIsKnownHoweverItWasCutWrappedOrRespelt]. The presigned URL's host
// gets no credential of the API [TestPresignedSendsTheFileAndNothingElse], also
// where the caller's HTTPClient adds one
// [TestCredentialsThatARoundTripperAddsNeverReachThePresignedHost]. No redirect
// leads the file out of https [TestPresignedIsNotLedFromHTTPSToHTTP].
//
// What is the caller's. A panic of a source, or of a function that the caller
// handed over, comes out of the call, where it can be recovered
// [TestPanicOfASourceComesOutOfTheCall].
//
// What ends. A call ends with its context, also in the middle of a Read that
// closing the reader ends [TestCancelEndsAReadThatHangs] and between attempts
// [TestWaitEndsWithTheContext]. Every reader that was opened is closed once,
// and no goroutine outlives a call [TestSources]. There is no other time limit
// but [Config] AnswerTimeout, 60 s without the beginning of an answer
// [TestAnswerIsWaitedForAsLongAsConfigured]. A source that stands still, or a
// server that takes nothing, holds a call until its context ends, so give it
// one that does [TestConnection].
package upload
