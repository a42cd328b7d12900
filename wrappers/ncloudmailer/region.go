package ncloudmailer

// The addresses of the API, one a region, for upload.Config's BaseURL. The zero
// Config means [BaseURLKR].
const (
	BaseURLKR  = "https://mail.apigw.ntruss.com/api/v1"     // Korea
	BaseURLSGN = "https://mail.apigw.ntruss.com/api/v1-sgn" // Singapore
	BaseURLJPN = "https://mail.apigw.ntruss.com/api/v1-jpn" // Japan

	// The government cloud.
	BaseURLGov    = "https://mail.apigw.gov-ntruss.com/api/v1"     // Korea
	BaseURLGovSGN = "https://mail.apigw.gov-ntruss.com/api/v1-sgn" // Singapore
	BaseURLGovJPN = "https://mail.apigw.gov-ntruss.com/api/v1-jpn" // Japan
)
