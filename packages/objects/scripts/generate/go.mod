module generate

go 1.24.0

// Read as source, never compiled; main.go fetches exactly these.
require (
	k8s.io/api v0.34.2
	k8s.io/apiextensions-apiserver v0.34.2
	k8s.io/apimachinery v0.34.2
	k8s.io/kube-aggregator v0.34.2
	k8s.io/kubernetes v1.34.2
	sigs.k8s.io/gateway-api v1.4.1
)
