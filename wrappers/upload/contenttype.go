package upload

import (
	"net/http"
	"path"
	"strings"
)

// OctetStream is the media type of bytes whose kind is unknown.
const OctetStream = "application/octet-stream"

// sniffLen is the number of bytes that http.DetectContentType looks at.
const sniffLen = 512

// mediaTypes is used instead of mime.TypeByExtension, whose answers depend on
// the files of the machine. A content type that is signed on one machine and
// sent from another must be the same.
var mediaTypes = map[string]string{
	".7z":   "application/x-7z-compressed",
	".avi":  "video/x-msvideo",
	".bmp":  "image/bmp",
	".bz2":  "application/x-bzip2",
	".css":  "text/css",
	".csv":  "text/csv",
	".doc":  "application/msword",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".eml":  "message/rfc822",
	".gif":  "image/gif",
	".gz":   "application/gzip",
	".heic": "image/heic",
	".htm":  "text/html",
	".html": "text/html",
	".hwp":  "application/x-hwp",
	".hwpx": "application/hwp+zip",
	".ics":  "text/calendar",
	".jpeg": "image/jpeg",
	".jpg":  "image/jpeg",
	".js":   "text/javascript",
	".json": "application/json",
	".log":  "text/plain",
	".md":   "text/markdown",
	".mov":  "video/quicktime",
	".mp3":  "audio/mpeg",
	".mp4":  "video/mp4",
	".msg":  "application/vnd.ms-outlook",
	".odp":  "application/vnd.oasis.opendocument.presentation",
	".ods":  "application/vnd.oasis.opendocument.spreadsheet",
	".odt":  "application/vnd.oasis.opendocument.text",
	".p7m":  "application/pkcs7-mime",
	".p7s":  "application/pkcs7-signature",
	".pdf":  "application/pdf",
	".png":  "image/png",
	".ppt":  "application/vnd.ms-powerpoint",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".rtf":  "application/rtf",
	".svg":  "image/svg+xml",
	".tar":  "application/x-tar",
	".tif":  "image/tiff",
	".tiff": "image/tiff",
	".txt":  "text/plain",
	".vcf":  "text/vcard",
	".wav":  "audio/wav",
	".webp": "image/webp",
	".xls":  "application/vnd.ms-excel",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".xml":  "application/xml",
	".zip":  "application/zip",
}

// mediaType returns the type of the name's extension, or else of the first
// bytes. If both are unknown, it returns OctetStream.
func mediaType(name string, head func() []byte) string {
	if t := mediaTypes[strings.ToLower(path.Ext(BaseName(name)))]; t != "" {
		return t
	}
	if b := head(); len(b) > 0 {
		return http.DetectContentType(b)
	}
	return OctetStream
}
