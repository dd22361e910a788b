{{/* Every pod's first lines: who it is, where it may run, and what it may do. */}}
{{- define "oneShotMetricsServer.podBasics" -}}
serviceAccountName: {{ include "oneShotMetricsServer.serviceAccountName" . }}
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- $secrets := .Values.imagePullSecrets }}
{{- range .Values.global.imagePullSecrets }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- with $secrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "hostAliases" }}
{{- with index $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* A probe, over TLS where the server speaks it. */}}
{{- define "oneShotMetricsServer.probe" -}}
{{- $probe := deepCopy .probe }}
{{- if and .root.Values.webConfig.tls $probe.httpGet }}
{{- $_ := set $probe.httpGet "scheme" "HTTPS" }}
{{- end }}
{{- toYaml $probe }}
{{- end }}

{{/* The template of the server's pod, for a StatefulSet and for a Deployment. */}}
{{- define "oneShotMetricsServer.podTemplate" -}}
{{- include "oneShotMetricsServer.checks" . -}}
metadata:
  labels:
    {{- include "oneShotMetricsServer.labels" . | nindent 4 }}
    app.kubernetes.io/component: server
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with merge (dict) .Values.podAnnotations .Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "oneShotMetricsServer.podBasics" . | nindent 2 }}
  automountServiceAccountToken: {{ .Values.identity.kubernetes }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: server
      image: {{ include "oneShotMetricsServer.image" . }}
      imagePullPolicy: {{ .Values.server.imagePullPolicy }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      ports:
        - name: metrics
          containerPort: {{ .Values.server.port }}
      env:
        {{- include "oneShotMetricsServer.env" . | nindent 8 }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- range $name := list "startupProbe" "livenessProbe" "readinessProbe" }}
      {{- with index $.Values $name }}
      {{ $name }}:
        {{- include "oneShotMetricsServer.probe" (dict "root" $ "probe" .) | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- with .Values.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.server.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        {{- include "oneShotMetricsServer.mounts" . | nindent 8 }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "oneShotMetricsServer.volumes" . | nindent 4 }}
{{- end }}
