{{/* The chart's name as Kubernetes takes it, in lower case. */}}
{{- define "oneShotMetricsServer.name" -}}
{{- .Values.nameOverride | default (kebabcase .Chart.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of everything. 41 characters: a CronJob's name has room for 52, and its own ends in -test-event. */}}
{{- define "oneShotMetricsServer.fullname" -}}
{{- $name := include "oneShotMetricsServer.name" . }}
{{- $release := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- coalesce .Values.serviceName .Values.fullnameOverride $release | trunc 41 | trimSuffix "-" }}
{{- end }}

{{- define "oneShotMetricsServer.namespace" -}}
{{- .Values.serviceNamespace | default .Release.Namespace }}
{{- end }}

{{- define "oneShotMetricsServer.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "oneShotMetricsServer.fullname" .) "default") }}
{{- end }}

{{/* An image's repository, from another registry where one is given. Takes a dict: root, repository. */}}
{{- define "oneShotMetricsServer.repository" -}}
{{- $first := splitList "/" .repository | first }}
{{- $path := .repository }}
{{- /* As Docker tells a registry from a part of the path. */}}
{{- if and (contains "/" .repository) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) }}
{{- $path = .repository | trimPrefix (printf "%s/" $first) }}
{{- end }}
{{- $registry := .root.Values.global.imageRegistry | default .root.Values.imageRegistry | trimSuffix "/" }}
{{- $registry | empty | ternary .repository (printf "%s/%s" $registry $path) }}
{{- end }}

{{- define "oneShotMetricsServer.image" -}}
{{- $tag := .Values.server.tag | default .Chart.AppVersion }}
{{- include "oneShotMetricsServer.repository" (dict "root" . "repository" .Values.server.image) }}:{{ $tag }}{{ with .Values.server.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* Which objects belong to this release; these never change. */}}
{{- define "oneShotMetricsServer.selectorLabels" -}}
app.kubernetes.io/name: {{ include "oneShotMetricsServer.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The server's pods, and not those of the tests. */}}
{{- define "oneShotMetricsServer.serverLabels" -}}
{{ include "oneShotMetricsServer.selectorLabels" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "oneShotMetricsServer.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "oneShotMetricsServer.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
The metadata of an object. Takes a dict: root, and, all optional, suffix of the name, name, namespace ("" for the usual,
"none" for objects without), component, labels, annotations.
*/}}
{{- define "oneShotMetricsServer.metadata" -}}
{{- $namespace := .namespace | default (include "oneShotMetricsServer.namespace" .root) -}}
name: {{ .name | default (printf "%s%s" (include "oneShotMetricsServer.fullname" .root) (.suffix | default "")) }}
{{- if ne $namespace "none" }}
namespace: {{ $namespace }}
{{- end }}
labels:
  {{- include "oneShotMetricsServer.labels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "oneShotMetricsServer.scheme" -}}
{{ .Values.webConfig.tls | ternary "https" "http" }}
{{- end }}

{{/* Where tests post: the Service, by its full name, from wherever. */}}
{{- define "oneShotMetricsServer.url" -}}
{{ include "oneShotMetricsServer.scheme" . }}://{{ include "oneShotMetricsServer.fullname" . }}.{{ include "oneShotMetricsServer.namespace" . }}.svc:{{ .Values.service.port }}
{{- end }}
