package ncloudmailer

// The documented addresses of the API, for upload.Config's BaseURL. The zero
// Config means [BaseURLKR].
const (
	BaseURLKR  = "https://mail.apigw.ntruss.com/api/v1"     // Korea
	BaseURLSGN = "https://mail.apigw.ntruss.com/api/v1-sgn" // Singapore
	BaseURLJPN = "https://mail.apigw.ntruss.com/api/v1-jpn" // Japan
	BaseURLGov = "https://mail.apigw.gov-ntruss.com/api/v1" // Korea's public sector
)
