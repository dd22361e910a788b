{{/* What values.schema.json can't say: values that don't fit together. */}}
{{- define "oneShotMetricsServer.checks" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}
{{- fail "serviceMonitor.enabled and podMonitor.enabled: Prometheus would scrape twice under one address, and each scrape would get a part of the events; turn one of them off" }}
{{- end }}
{{- if and .Values.webConfig.tls (not .Values.webConfig.existingSecret) }}
{{- fail "webConfig.tls: name the Secret with the web configuration file in webConfig.existingSecret" }}
{{- end }}
{{- if and .Values.webConfig.caKey (not .Values.webConfig.tls) }}
{{- fail "webConfig.caKey: without webConfig.tls there is nothing to trust; set webConfig.tls" }}
{{- end }}
{{- end }}
