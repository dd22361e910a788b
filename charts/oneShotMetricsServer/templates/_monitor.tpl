{{/* A Secret's key, as the Operator's CRDs refer to one. */}}
{{- define "oneShotMetricsServer.secretKey" -}}
name: {{ .name }}
key: {{ .key }}
{{- end }}

{{/* The parameters of a scrape, but for defaults that others stand against. */}}
{{- define "oneShotMetricsServer.params" -}}
{{- $monitor := .Values.serviceMonitor }}
{{- $decided := or (kindIs "bool" .Values.server.useExplicitTimestamps) (hasKey (.Values.config.scrape | default dict) "timestamps") }}
{{- $harmed := or (not $monitor.honorTimestamps) $monitor.trackTimestampsStaleness }}
{{- range $name, $value := $monitor.params }}
{{- $values := kindIs "slice" $value | ternary $value (list $value) }}
{{- $left := dict "timestamps" (and (or $decided $harmed) (has "auto" $values)) "scraper" (and $.Values.identity.kubernetes (has "$(POD_NAME)" $values)) }}
{{- if not (get $left $name) }}
{{ $name }}: {{ toJson $values }}
{{- end }}
{{- end }}
{{- with $monitor.without }}
without: {{ list (join "," .) | toJson }}
{{- end }}
{{- end }}

{{/* How to scrape: the endpoint of a ServiceMonitor and of a PodMonitor. */}}
{{- define "oneShotMetricsServer.endpoint" -}}
{{- $monitor := .Values.serviceMonitor -}}
port: metrics
path: /metrics
scheme: {{ include "oneShotMetricsServer.scheme" . }}
honorLabels: {{ $monitor.honorLabels }}
honorTimestamps: {{ $monitor.honorTimestamps }}
trackTimestampsStaleness: {{ $monitor.trackTimestampsStaleness }}
{{- range $key := list "interval" "scrapeTimeout" }}
{{- with index $monitor $key }}
{{ $key }}: {{ . }}
{{- end }}
{{- end }}
{{- with include "oneShotMetricsServer.params" . | fromYaml }}
params:
  {{- range $name, $value := . }}
  {{ $name }}: {{ toJson $value }}
  {{- end }}
{{- end }}
{{- include "oneShotMetricsServer.endpointAuth" .Values.auth.scrape }}
{{- with include "oneShotMetricsServer.tlsConfig" . | fromYaml }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "relabelings" "metricRelabelings" }}
{{- with index $monitor $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "oneShotMetricsServer.endpointAuth" -}}
{{- if and .existingSecret .tokenKey }}
authorization:
  type: Bearer
  credentials:
    {{- include "oneShotMetricsServer.secretKey" (dict "name" .existingSecret "key" .tokenKey) | nindent 4 }}
{{- else if .existingSecret }}
basicAuth:
  username:
    {{- include "oneShotMetricsServer.secretKey" (dict "name" .existingSecret "key" .usernameKey) | nindent 4 }}
  password:
    {{- include "oneShotMetricsServer.secretKey" (dict "name" .existingSecret "key" .passwordKey) | nindent 4 }}
{{- end }}
{{- end }}

{{/* With TLS: the name that the certificate must carry, since Prometheus scrapes by address, and who signed it. */}}
{{- define "oneShotMetricsServer.tlsConfig" -}}
{{- $tls := dict }}
{{- with .Values.webConfig }}
{{- if .tls }}
{{- $_ := set $tls "serverName" (printf "%s.%s.svc" (include "oneShotMetricsServer.fullname" $) (include "oneShotMetricsServer.namespace" $)) }}
{{- with .caKey }}
{{- $_ := set $tls "ca" (dict "secret" (dict "name" $.Values.webConfig.existingSecret "key" .)) }}
{{- end }}
{{- end }}
{{- end }}
{{- merge (dict) .Values.serviceMonitor.tlsConfig $tls | toYaml }}
{{- end }}

{{/* What a ServiceMonitor and a PodMonitor say beside their endpoint. */}}
{{- define "oneShotMetricsServer.monitorSpec" -}}
{{- $monitor := .Values.serviceMonitor -}}
selector:
  matchLabels:
    {{- include "oneShotMetricsServer.serverLabels" . | nindent 4 }}
namespaceSelector:
  matchNames:
    - {{ include "oneShotMetricsServer.namespace" . }}
{{- range $key := list "jobLabel" "sampleLimit" "scrapeProtocols" "podTargetLabels" }}
{{- with index $monitor $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}
